import { type Allowance, coversAllowance } from '../language/containment.ts'
import type { Policy, Statement } from '../language/document.ts'
import { OSS_ACTIONS } from '../language/operations.ts'
import type { Template } from '../template/template.ts'
import type { Part } from '../template/variables.ts'
import type { LintSettings } from './lint/rule.ts'
import { possibleValues } from './possible-values.ts'

/** A template, and a target that it can lead to. */
export type Binding = Readonly<{ template: Template; settings: LintSettings }>

/** One resource of a template becomes at most this many; beyond that, a `*` is easier to review. */
const MOST_RESOURCES = 16
const ORDER: readonly string[] = Object.keys(OSS_ACTIONS)

/**
 * The least permissions of a role whose sessions serve these templates. A session has what both its own policy and its
 * role allow, so anything that a grant allows and this policy does not is missing in the session.
 *
 * A variable becomes its values, where a template has only a few of them, and otherwise a `*`. `Deny` is left out: OSS
 * ignores it. No statement for no template.
 */
export function rolePolicy(bindings: readonly Binding[]): Policy {
  return { Version: '3', Statement: merge(bindings.flatMap(allowancesOf)) }
}

function allowancesOf(binding: Binding): Allowance[] {
  return binding.template.statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ actions, resources }) =>
      resources
        .flatMap((parts) => widest(parts, binding))
        .flatMap((resource) => actions.map((action) => ({ action, resource }))),
    )
}

/** The resources that include this one, whoever the caller is. */
function widest(parts: readonly Part[], binding: Binding): string[] {
  let texts = ['']
  for (const part of parts) {
    const values = textsOf(part, binding)
    const all = values.length * texts.length <= MOST_RESOURCES ? values : ['*']
    texts = texts.flatMap((text) => all.map((value) => text + value))
  }
  // Two wildcards side by side match what one does.
  return texts.map((text) => text.replace(/\*{2,}/gu, '*'))
}

function textsOf(part: Part, { template, settings }: Binding): readonly string[] {
  switch (part.kind) {
    case 'literal':
      return [part.text]
    case 'account':
    case 'bucket':
    case 'region':
      return [settings[part.kind]]
    default:
      return possibleValues(part, template, settings) ?? ['*']
  }
}

/** One statement for each set of actions, without what another resource of the same action includes. */
function merge(allowances: readonly Allowance[]): Statement[] {
  const all = [...new Map(allowances.map((one) => [JSON.stringify([one.action, one.resource]), one])).values()]
  const needed = all.filter((one) => !all.some((other) => other !== one && coversAllowance(other, one)))
  const actionsOn = [...groups(needed, ({ resource }) => resource)]
    .map(([resource, same]) => ({ resource, actions: same.map(({ action }) => action).sort(byOrder) }))
    .sort((a, b) => (a.resource < b.resource ? -1 : 1))
  return [...groups(actionsOn, ({ actions }) => actions.join()).values()].map((alike) => ({
    Effect: 'Allow',
    Action: alike[0]?.actions ?? [],
    Resource: alike.map(({ resource }) => resource),
  }))
}

function groups<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) found.set(keyOf(one), [...(found.get(keyOf(one)) ?? []), one])
  return found
}

const byOrder = (a: string, b: string) => ORDER.indexOf(a) - ORDER.indexOf(b)
