import fc from 'fast-check'
import t from 'tap'
import { VendError } from '../../../../../src/errors.ts'
import { createFolders } from '../../../../../src/policy/check/lint/colliding-folders.ts'
import { lintTemplate } from '../../../../../src/policy/check/lint/lint.ts'
import { type LintSettings, lintSubject } from '../../../../../src/policy/check/lint/rule.ts'
import { choicesIn } from '../../../../../src/policy/claims/choice.ts'
import { claimAt } from '../../../../../src/policy/claims/claim.ts'
import { claimText } from '../../../../../src/policy/claims/transform.ts'
import { fillIn } from '../../../../../src/policy/grant/grant.ts'
import { type Policy, policySchema } from '../../../../../src/policy/language/document.ts'
import { evaluate } from '../../../../../src/policy/language/evaluate.ts'
import { isDeclaredShared } from '../../../../../src/policy/template/shared-by.ts'
import type { Template } from '../../../../../src/policy/template/template.ts'
import type { Part } from '../../../../../src/policy/template/variables.ts'
import { settings, template } from '../../../../helpers/templates.ts'

/**
 * The promise of the linter: what passes it with no error and accepts nothing never opens one caller's folder to another,
 * unless sharedBy says so, and never the whole bucket. Folders without a claim are for reading alone.
 */
type Caller = Parameters<typeof fillIn>[1]['caller']
type Who = Readonly<{ caller: Caller; segment: string; path: string; at: number }>
type Scene = Readonly<{ templates: readonly Template[]; issuers: readonly string[]; pairs: readonly [Who, Who][] }>
const WRITES = ['oss:PutObject', 'oss:DeleteObject']
type Held = Readonly<{
  template: Template
  statement: number
  resource: number
  params: Readonly<Record<string, string>>
  key: string
  writes: boolean
}>

// Few names, which are folders, issuers, people and teams alike.
const NAMES = ['users', 'teams', 'a', 'b', 'app', 'web', 'x', 'A', '2026']
const HASHES = ['a', 'b'].map((sub) => claimText(sub, 'hash', 'app') ?? '')
const name = fc.constantFrom(...NAMES)
const value = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 1, arbitrary: fc.tuple(name, fc.constantFrom('-', '.', '@'), name).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.constantFrom(...HASHES) },
)
const path = fc.array(value, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('/'))

const claim = fc.constantFrom(
  ...['${jwt:sub}', '${jwt:sub}', '${jwt:sub}', '${jwt:team}', '${jwt:email}', '${jwt:sub|hash}', '${jwt:sub|hash}'],
  ...['${jwt:sub|lower}', '${jwt:team|hash}', '${jwt:team|domain}', '${param:org}'],
)
const other = fc.constantFrom('${issuer}', '${param:x}', '${param:dir}', '*', '${date:yyyy}')
const segment = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 4, arbitrary: claim },
  { weight: 2, arbitrary: other },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.oneof(name, claim, other, fc.constantFrom('-', '.')), { maxLength: 3 })
      .map((atoms) => atoms.join('')),
  },
)
const ending = fc.oneof(
  { weight: 6, arbitrary: fc.constant('/*') },
  { weight: 1, arbitrary: fc.constantFrom('', '/a', '/a*', '/*a', '/${param:dir}', '/a*/b', '/*/a/*') },
)
const key = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), ending)
  .map(([segments, ending]) => segments.join('/') + ending)
// What people write on purpose, so that many sets pass the linter.
const personal = fc
  .tuple(
    name,
    fc.constantFrom(
      '${jwt:sub}',
      '${jwt:team}',
      '${issuer}/${jwt:sub}',
      '${issuer}/${jwt:team}',
      '${jwt:team}/${jwt:sub}',
      '${issuer}.${jwt:sub}',
      'a/${jwt:sub}',
      'u-${jwt:sub}',
      '${param:x}/${jwt:sub}',
      '${jwt:sub}/${param:x}',
      '${issuer}',
      ...['${jwt:sub|hash}', '${jwt:sub|hash}', '${jwt:team|hash}', '${jwt:team|hash}/${jwt:sub}'],
      ...[
        '${jwt:sub|lower}',
        '${jwt:team|domain}',
        '${param:org}',
        '${param:org}/${jwt:sub}',
        '${issuer}/${param:org}',
      ],
      ...['${jwt:sub}/${date:yyyy}', '${date:yyyy}/${jwt:sub}', '${date:yyyy-MM}/${jwt:sub|hash}'],
    ),
    ending,
  )
  .map(([folder, owner, ending]) => `${folder}/${owner}${ending}`)
// Folders for everybody, and what looks like one.
const shared = fc
  .tuple(name, fc.constantFrom('/*', '/*', '/*', '/a/*', '*', '/a*', '/*/a'))
  .map(([folder, ending]) => folder + ending)
const sound = fc.oneof(
  { weight: 12, arbitrary: personal },
  { weight: 3, arbitrary: shared },
  { weight: 1, arbitrary: fc.constantFrom('*', '**', '*/a/*') },
)
const resource = fc
  .oneof({ weight: 1, arbitrary: key }, { weight: 2, arbitrary: sound })
  .map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`)
const statement = fc.record({
  Effect: fc.constant('Allow'),
  Action: fc.oneof(
    fc.subarray(['oss:PutObject', 'oss:DeleteObject', 'oss:GetObject'], { minLength: 1 }),
    fc.constant(['oss:GetObject']),
  ),
  Resource: fc.array(resource, { minLength: 1, maxLength: 2 }),
})
const listing = fc.constant({
  Effect: 'Allow',
  Action: ['oss:ListBucket'],
  Resource: ['jrn:oss:*:${account}:${bucket}'],
})
const anyStatement = fc.oneof({ weight: 30, arbitrary: statement }, { weight: 1, arbitrary: listing })
const kind = fc.constantFrom('segment', 'path')
const parts = fc.record({
  allow: fc.constantFrom(
    { issuer: 'app' },
    { issuer: ['app'] },
    { issuer: 'web' },
    { issuer: ['app', 'web'] },
    { claims: { sub: { present: true } } },
    { any: [{ issuer: 'app' }, { issuer: 'web', claims: { team: 'a' } }] },
  ),
  sharedBy: fc.constantFrom(
    undefined,
    ['team'],
    ['team'],
    ['team', 'email'],
    ['email'],
    ['sub'],
    [...['team', 'orgs', 'sub|lower', 'team|domain']],
  ),
  params: fc.record({
    x: fc.record({ kind }),
    dir: fc.constant({ kind: 'path' }),
    org: fc.constantFrom({ oneOf: 'jwt:orgs' }, { oneOf: 'jwt:orgs' }, { oneOf: 'jwt:team' }, { oneOf: 'jwt:sub' }, {}),
  }),
  policy: fc.record({ Version: fc.constant('3'), Statement: fc.array(anyStatement, { minLength: 1, maxLength: 3 }) }),
})
const who = (issuers: readonly string[]) =>
  fc
    .record({
      issuer: fc.constantFrom(...issuers),
      sub: value,
      team: value,
      email: value,
      orgs: fc.array(value, { minLength: 1, maxLength: 2 }),
      segment: value,
      path,
      at: fc.constantFrom(Date.UTC(2026, 0), Date.UTC(2027, 0)),
    })
    .map(
      ({ issuer, segment, path, at, ...claims }): Who => ({
        caller: { issuer, subject: claims.sub, claims },
        segment,
        path,
        at,
      }),
    )

const settingsFor = (issuers: readonly string[]): LintSettings => ({
  ...settings,
  issuers,
  severalIssuers: issuers.length > 1,
})

/** Whether a template passes the rules that look at it alone. */
const passesRules = (template: Template, issuers: readonly string[]) =>
  lintTemplate(lintSubject(template, settingsFor(issuers))).every(({ severity }) => severity !== 'error')

/** Whether the rule that looks at all of them finds something. */
function collides({ templates, issuers }: Scene): boolean {
  const subjects = templates.map((template) => lintSubject(template, settingsFor(issuers)))
  const folders = createFolders()
  return subjects.flatMap(folders.add).length + folders.shared().size > 0
}

/** One to three templates that `passes` lets through, and people who ask for them. */
const scenes = (passes: (template: Template, issuers: readonly string[]) => boolean): fc.Arbitrary<Scene> =>
  fc.constantFrom(['app'], ['app', 'web']).chain((issuers) => {
    const one = parts.map((parts) => template(parts)).filter((template) => passes(template, issuers))
    return fc.record({
      issuers: fc.constant(issuers),
      templates: fc
        .array(one, { minLength: 1, maxLength: 3 })
        .map((set) => set.map((template, index) => ({ ...template, name: `t${index}` }))),
      pairs: fc.array(fc.tuple(who(issuers), who(issuers)), { minLength: 12, maxLength: 12 }),
    })
  })

/** Every resource that somebody opens, by whatever template is granted. */
function heldBy({ caller, segment, path, at }: Who, { templates, issuers }: Scene): Held[] {
  return templates.flatMap((template) => {
    const params = Object.fromEntries(
      Object.entries(template.params).map(([name, { kind, oneOf }]) => {
        const [own] = oneOf ? choicesIn(claimAt(caller.claims, oneOf.path)) : []
        return [name, own ?? (kind === 'path' ? path : segment)]
      }),
    )
    try {
      const grant = fillIn(template, { caller, params, at }, settingsFor(issuers))
      const { Statement } = policySchema.parse(JSON.parse(grant.policy))
      return Statement.flatMap(({ Action, Resource }, statement) =>
        Resource.map((text, resource) => ({
          template,
          statement,
          resource,
          params,
          // A listing shows all of it.
          key: text.includes('/') ? text.slice(text.indexOf('/') + 1) : '*',
          writes: WRITES.some((action) => Action.includes(action)),
        })),
      )
    } catch (error) {
      if (error instanceof VendError) return []
      throw error
    }
  })
}

const partsOf = ({ template, statement, resource }: Held): readonly Part[] =>
  template.statements[statement]?.resources[resource] ?? []

/** The claim that a part takes its value from; none for a parameter that everybody chooses freely. */
const claimOf = ({ template }: Held, part: Part) => {
  if (part.kind === 'jwt') return part
  return part.kind === 'param' ? template.params[part.name]?.oneOf : undefined
}

const isPersonal = (held: Held) => partsOf(held).some((part) => claimOf(held, part))

/** Whether the template of a resource says that these two share it: they have one issuer, and all its claims in common. */
function isShared(held: Held, one: Caller, two: Caller): boolean {
  return (
    isPersonal(held) &&
    one.issuer === two.issuer &&
    partsOf(held).every((part) => {
      const claim = claimOf(held, part)
      // isPersonal: somebody owns the folder in which everybody chooses.
      if (!claim) return true
      if (!isDeclaredShared(held.template.sharedBy, claim)) return false
      if (part.kind === 'param') {
        const own = held.params[part.name] ?? ''
        return [one, two].every(({ claims }) => choicesIn(claimAt(claims, claim.path)).includes(own))
      }
      const textFor = ({ claims, issuer }: Caller) => claimText(claimAt(claims, claim.path), claim.transform, issuer)
      return textFor(one) === textFor(two)
    })
  )
}

/** A text that two wildcard patterns both take; undefined when there is none. */
function commonText(p: string, q: string): string | undefined {
  const failed = new Set<number>()
  const from = (i: number, j: number): string | undefined => {
    if (i === p.length && j === q.length) return ''
    const state = i * (q.length + 1) + j
    if (failed.has(state)) return undefined
    const [a, b] = [p[i], q[j]]
    const eat = (character: string | undefined, i: number, j: number) => {
      const rest = character === undefined ? undefined : from(i, j)
      return rest === undefined ? undefined : character + rest
    }
    let found: string | undefined
    if (a === '*') found = from(i + 1, j) ?? (b === '*' ? from(i, j + 1) : eat(b, i, j + 1))
    else if (b === '*') found = from(i, j + 1) ?? eat(a, i + 1, j)
    else if (a === b) found = eat(a, i + 1, j + 1)
    if (found === undefined) failed.add(state)
    return found
  }
  return from(0, 0)
}

/** Asked of the evaluator, so that a wrong `commonText` makes no false leak. */
const takes = ({ key }: Held, wanted: string) =>
  evaluate(policyOf(`jrn:oss:*:111111111111:test-app/${key}`), {
    action: 'oss:PutObject',
    resource: `jrn:oss:cn-north-1:111111111111:test-app/${wanted}`,
  }).allowed
const policyOf = (resource: string): Policy => ({
  Version: '3',
  Statement: [{ Effect: 'Allow', Action: ['oss:PutObject'], Resource: [resource] }],
})

/** A key that two people may use, although no template says so; counts what came near. */
function leak(scene: Scene, seen: { compared: number; near: number; meant: number }): string | undefined {
  for (const [one, two] of scene.pairs) {
    if (one.caller.issuer === two.caller.issuer && one.caller.subject === two.caller.subject) continue
    const theirs = heldBy(two, scene)
    for (const mine of heldBy(one, scene)) {
      if (mine.key.startsWith('*')) return `${JSON.stringify(one)} opens the whole bucket: ${mine.template.name}`
      for (const their of theirs) {
        const key = commonText(mine.key, their.key)
        const everybodys = !isPersonal(mine) && !isPersonal(their) && !mine.writes && !their.writes
        const meant = everybodys || [mine, their].some((held) => isShared(held, one.caller, two.caller))
        seen.compared++
        if (key !== undefined && meant) seen.meant++
        // The same folders up to the name of somebody.
        const steps = [mine, their].map(({ key }) => key.split('/', 1)[0])
        if (key === undefined && steps[0] === steps[1]) seen.near++
        if (key === undefined || meant || !takes(mine, key) || !takes(their, key)) continue
        return `${JSON.stringify([one, two])} both open ${key}: ${mine.key} of ${mine.template.name}, ${their.key} of ${their.template.name}`
      }
    }
  }
  return undefined
}

const counters = () => ({ compared: 0, near: 0, meant: 0 })

t.test("templates that pass the linter never open another caller's folder or the whole bucket", async (t) => {
  const seen = { clean: 0, several: 0, issuers: 0, params: 0, transforms: 0, choices: 0, dates: 0, ...counters() }
  const property = fc.property(scenes(passesRules), (scene) => {
    if (collides(scene)) return
    seen.clean++
    if (scene.templates.length > 1) seen.several++
    if (scene.issuers.length > 1) seen.issuers++
    const used = scene.templates.flatMap(({ statements }) => statements.flatMap(({ resources }) => resources.flat()))
    if (used.some(({ kind }) => kind === 'param')) seen.params++
    if (used.some((part) => part.kind === 'jwt' && part.transform)) seen.transforms++
    if (used.some((part) => part.kind === 'param' && part.name === 'org')) seen.choices++
    if (used.some(({ kind }) => kind === 'date')) seen.dates++
    const found = leak(scene, seen)
    if (found !== undefined) throw new Error(found)
  })
  fc.assert(property, { numRuns: 1000 })
  // Otherwise it would hold because nothing came to the test.
  t.ok(seen.clean > 200, `${seen.clean} sets passed the linter`)
  t.ok(seen.several > 70, `${seen.several} of several templates`)
  t.ok(seen.issuers > 80, `${seen.issuers} with two issuers`)
  t.ok(seen.params > 40, `${seen.params} with params`)
  t.ok(seen.transforms > 20, `${seen.transforms} with transforms`)
  t.ok(seen.choices > 10, `${seen.choices} with memberships`)
  t.ok(seen.dates > 10, `${seen.dates} with dates`)
  t.ok(seen.near > 1500, `${seen.near} near misses of ${seen.compared}`)
  t.ok(seen.meant > 600, `${seen.meant} shared on purpose`)
})

t.test('without the linter, or without either half of it, they would', async (t) => {
  const finds = (passes: typeof passesRules, alsoCollides: typeof collides) => {
    const property = fc.property(
      scenes(passes),
      (scene) => alsoCollides(scene) || leak(scene, counters()) === undefined,
    )
    return fc.check(property, { numRuns: 3000, endOnFailure: true }).failed
  }
  const none = () => false
  t.ok(finds(() => true, none))
  t.ok(finds(passesRules, none), 'the rules for one template are not enough')
  t.ok(
    finds(() => true, collides),
    'the rules across templates are not enough',
  )
})
