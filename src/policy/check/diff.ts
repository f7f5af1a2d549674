import { VendError } from '../../errors.ts'
import { fillIn, type Grant } from '../grant/grant.ts'
import { isTargets, settingsFor } from '../grant/target.ts'
import { type Allowance, coversAllowance } from '../language/containment.ts'
import type { Policy } from '../language/document.ts'
import { OSS_ACTIONS } from '../language/operations.ts'
import type { Template } from '../template/template.ts'
import type { Catalogue } from './catalogue.ts'
import { type AllExampleSettings, exampleCaller, issuersOf } from './examples.ts'
import { narrowsAllow, narrowsPolicy, textOf } from './narrowing.ts'
import { type Witness, witnesses } from './witness.ts'

/** What one caller can do with one set of templates but not with the other. */
export type Change = Readonly<{
  template: string
  caller: Witness
  params: Readonly<Record<string, string | number>>
  allowances: readonly Allowance[]
  /** Only if sessions get longer. */
  durationSeconds?: Readonly<{ from: number; to: number }>
}>

/** What a change of templates lets callers do, and what it takes away. */
export type CatalogueDiff = Readonly<{
  gains: readonly Change[]
  losses: readonly Change[]
  /** Changes that reviewers must read, since no caller and no value shows their effect. */
  unclear: readonly Readonly<{ template: string; what: string }>[]
}>

type Params = Readonly<Record<string, string | number>>
type Request = Readonly<{ caller: Witness; params: Params }>

/** Values of a parameter that common patterns tell apart. */
const PROBES = ['a', 'A', '0', 'a-b', 'a_b', 'a.b', 'é', 'a'.repeat(64), 'a'.repeat(128), 'a/b']

/**
 * Compares two sets of templates by the grants of callers: those of both sides' examples, and variations who just meet or
 * just miss each condition. Compares whole grants, wildcards included, not single keys.
 */
export function diffCatalogues(
  before: Catalogue,
  after: Catalogue,
  settings: AllExampleSettings,
  at = Date.now(),
): CatalogueDiff {
  const gains: Change[] = []
  const losses: Change[] = []
  const unclear: { template: string; what: string }[] = []
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, young] = [before.get(name), after.get(name)]
    // The changed parts of the template that some caller shows.
    const shown = new Set<string>()
    let granted = false
    for (const request of requestsOf([old, young], settings, at)) {
      const [had, has] = [grantOf(old, request, settings, at), grantOf(young, request, settings, at)]
      const [gain, loss] = [beyond(had, has), beyond(has, had)]
      if (gain) gains.push({ template: name, ...request, ...gain })
      if (loss) losses.push({ template: name, ...request, ...loss })
      // A loss says nothing about what the same change opens to callers who are not among these.
      if (!had && gain) shown.add('allow')
      else if (gain?.allowances.length) shown.add('policy')
      if (gain?.durationSeconds) shown.add('durationSeconds')
      if (has) granted = true
    }
    // None of these callers gets it, but others may.
    if (!old && young?.allow && !granted) unclear.push({ template: name, what: 'all of it' })
    for (const what of changedParts(old, young, settings)) {
      // No number of tried values proves that two patterns are equal.
      if (what.startsWith('params.') || what.endsWith('.matches') || !shown.has(what))
        unclear.push({ template: name, what })
    }
  }
  return { gains: distinct(gains), losses: distinct(losses), unclear }
}

/** Every caller from either side's examples and conditions, with every choice of parameters. */
function requestsOf(sides: readonly (Template | undefined)[], settings: AllExampleSettings, at: number): Request[] {
  const templates = sides.filter((template) => template !== undefined)
  const examples = templates.flatMap((template) =>
    template.examples.map((example) => {
      const { issuer, claims } = exampleCaller(template, example, issuersOf(settings))
      return { caller: { issuer, claims }, params: example.params }
    }),
  )
  const base = examples[0] ?? {
    caller: { issuer: issuersOf(settings)[0] ?? '', claims: { sub: 'someone' } },
    params: {},
  }
  const callers = templates.flatMap((template) => [
    ...witnesses(template, base.caller, issuersOf(settings), at),
    ...examples.flatMap(({ caller }) => witnesses(template, caller, [caller.issuer], at)),
  ])
  const choices = [...examples.map(({ params }) => params), ...probes(templates, base.params)]
  // One request that each side grants: its parameters go with every caller, and its caller with every choice.
  const usual = templates.flatMap((template) => {
    const all = callers.flatMap((caller) => choices.map((params) => ({ caller, params })))
    return all.find((request) => grantOf(template, request, settings, at)) ?? []
  })
  const requests = [
    ...examples,
    ...usual.flatMap(({ params }) => callers.map((caller) => ({ caller, params }))),
    ...usual.flatMap(({ caller }) => choices.map((params) => ({ caller, params }))),
  ]
  return [...new Map(requests.map((request) => [JSON.stringify(request), request])).values()]
}

function probes(templates: readonly Template[], base: Params): Params[] {
  const names = [...new Set(templates.flatMap(({ params }) => Object.keys(params)))]
  const usual = Object.fromEntries(names.map((name) => [name, base[name] ?? 'a']))
  // A side refuses requests with a parameter that it does not know.
  const known = templates.map(({ params }) =>
    Object.fromEntries(Object.keys(params).map((name) => [name, usual[name] ?? 'a'])),
  )
  return [...known, ...names.flatMap((name) => PROBES.map((value) => ({ ...usual, [name]: value })))]
}

function grantOf(
  template: Template | undefined,
  { caller, params }: Request,
  settings: AllExampleSettings,
  at: number,
) {
  if (!template) return undefined
  try {
    const request = { caller: { ...caller, subject: caller.claims.sub }, params, at }
    return fillIn(template, request, settingsFor(template, request, settings))
  } catch (error) {
    if (error instanceof VendError) return undefined
    throw error
  }
}

/** What the second grant allows beyond the first; undefined for nothing. */
function beyond(
  less: Grant | undefined,
  more: Grant | undefined,
): Pick<Change, 'allowances' | 'durationSeconds'> | undefined {
  if (!more) return undefined
  const had = less ? allowancesOf(less) : []
  const allowances = allowancesOf(more).filter((one) => !had.some((other) => coversAllowance(other, one)))
  const longer = less !== undefined && more.durationSeconds > less.durationSeconds
  if (allowances.length === 0 && !longer) return undefined
  return { allowances, ...(longer && { durationSeconds: { from: less.durationSeconds, to: more.durationSeconds } }) }
}

function allowancesOf({ policy }: Grant): Allowance[] {
  const { Statement }: Policy = JSON.parse(policy)
  // A Deny allows nothing, and NotAction or NotResource (which the linter refuses) leave empty lists.
  const all = Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action, Resource }) =>
    Action.flatMap((action) => Resource.map((resource) => ({ action, resource }))),
  )
  // oss:ListBucket on users/* looks like a limited listing, and allows nothing.
  const real = all.filter(({ action, resource }) => levelOf(action) === (resource.includes('/') ? 'object' : 'bucket'))
  return [...new Map(real.map((one) => [`${one.action} ${one.resource}`, one])).values()]
}

/** The level of an action's resource; `object` for a pattern or an unknown action. */
const levelOf = (action: string) =>
  Object.entries(OSS_ACTIONS).find(([known]) => known === action)?.[1] === 'bucket' ? 'bucket' : 'object'

/** The parts of a template that differ, without those that clearly allow less than before. */
function changedParts(old: Template | undefined, young: Template | undefined, settings: AllExampleSettings): string[] {
  if (!old || !young) return []
  const differs = (a: unknown, b: unknown) => textOf(a) !== textOf(b)
  const names = [...new Set([...Object.keys(old.params), ...Object.keys(young.params)])]
  const accepts = ({ params }: Template, name: string) => [
    params[name]?.kind,
    params[name]?.pattern,
    params[name]?.oneOf?.path,
  ]
  return [
    ...(differs(old.allow, young.allow) && !narrowsAllow(old, young) ? ['allow'] : []),
    // Another bucket, role or account: reviewers must read it, whatever the examples show.
    ...(differs(targetOf(old), targetOf(young)) ? ['target'] : []),
    ...(differs(patternsOf(old), patternsOf(young)) ? ['allow.matches'] : []),
    ...(young.durationSeconds > old.durationSeconds ? ['durationSeconds'] : []),
    ...(differs(old.statements, young.statements) && !narrows(old, young, settings) ? ['policy'] : []),
    ...names.filter((name) => differs(accepts(old, name), accepts(young, name))).map((name) => `params.${name}`),
  ]
}

const narrows = (old: Template, young: Template, settings: AllExampleSettings) =>
  (isTargets(settings) ? [...settings.values()] : [settings]).every((one) => narrowsPolicy(old, young, one))

const targetOf = ({ target }: Template) =>
  target && 'map' in target ? [{ ...target, map: [...target.map].toSorted() }] : [target?.name]

const patternsOf = ({ allow }: Template) =>
  [allow, ...(allow?.any ?? [])]
    .flatMap((terms) => terms?.claims ?? [])
    .flatMap(({ claim, tests }) => (tests.matches ? [[claim, tests.matches]] : []))

/** One change for each gain or loss: many callers show the same one. */
function distinct(changes: readonly Change[]): Change[] {
  const shape = ({ template, allowances, durationSeconds }: Change) =>
    JSON.stringify([template, allowances, durationSeconds])
  const first = new Map<string, Change>()
  for (const change of changes) if (!first.has(shape(change))) first.set(shape(change), change)
  return [...first.values()]
}
