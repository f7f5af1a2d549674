import fc from 'fast-check'
import t from 'tap'
import { ossAllows, stsAllows } from '../../../sandbox/iam/evaluate.ts'
import { OSS_ACTIONS } from '../../../sandbox/iam/oss-actions.ts'
import { parseSessionPolicy } from '../../../sandbox/iam/policy.ts'
import { fillIn, type Grant } from '../../../src/policy/grant/grant.ts'
import { type Restriction, restrict } from '../../../src/policy/grant/restrict.ts'
import { caller, refusal, settings, template } from '../../helpers/templates.ts'

// The sandbox judges, with an evaluator of its own.

const ACTIONS = [...new Set(Object.values(OSS_ACTIONS))]
/** Actions that have an object. */
const ON_OBJECTS: ReadonlySet<string> = new Set([
  'oss:PutObject',
  'oss:GetObject',
  'oss:DeleteObject',
  'oss:AbortMultipartUpload',
  'oss:ListMultipartUploadParts',
])

const KEYS = [
  'users/${jwt:sub}/*',
  'users/${jwt:sub}/a/*',
  'users/${jwt:sub}/a/b',
  'users/${jwt:sub}/a',
  'users/${jwt:sub}*',
  'users/${param:dir}/*',
  'users/*',
  'users/*/b',
  'users/*/a/*b*',
  'users/*a',
  'users/*a*a',
  '*/a',
  '*',
]
const resource = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KEYS).map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '*',
      'jrn:oss:*:${account}:${bucket}',
      'jrn:oss:*:${account}:${bucket}*',
      'jrn:oss:*:*:*',
      'jrn:oss:*:${account}:*/users/*',
      'jrn:oss:${region}:${account}:${bucket}/users/${jwt:sub}/*',
      'jrn:oss:cn-south-1:${account}:${bucket}/*',
      'jrn:oss:*:222222222222:${bucket}/*',
      'jrn:oss:*:${account}:other/users/*',
      'jrn:vm:*:${account}:${bucket}/users/*',
    ),
  },
)
const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...ACTIONS) },
  { weight: 1, arbitrary: fc.constantFrom('oss:*', 'oss:*Object', 'oss:List*', '*') },
)
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Allow', 'Deny'),
  Action: fc.array(action, { minLength: 1, maxLength: 4 }),
  Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
})
const grants = fc
  .record({
    Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
    sub: fc.constantFrom('alice', 'a', '图'),
    dir: fc.constantFrom('alice', 'a/b', 'b'),
  })
  .map(({ Statement, sub, dir }) =>
    fillIn(
      template({ params: { dir: { kind: 'path' } }, policy: { Version: '3', Statement } }),
      { caller: caller({ sub }), params: { dir } },
      settings,
    ),
  )

const piece = fc.constantFrom('a', 'b', 'alice', 'bob', '图', 'aa', 'x')
const path = fc
  .tuple(fc.constantFrom('users', 'users', 'users', 'users', 'other'), fc.array(piece, { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join('/'))
const prefixes = fc.tuple(path, fc.constantFrom('/', '/', '')).map((parts) => parts.join(''))
const restrictions: fc.Arbitrary<Restriction> = fc.record(
  { actions: fc.array(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 3 }), prefix: prefixes },
  { requiredKeys: [] },
)

/** `key` undefined for the bucket itself. `allows` reads `Deny` as STS does, or as OSS does. */
function allowed({ policy }: Grant, allows: typeof stsAllows, action: string, key: string | undefined): boolean {
  const parsed = parseSessionPolicy(policy)
  if (!parsed) throw new Error('STS would refuse the policy')
  const resource = key === undefined ? 'test-app' : `test-app/${key}`
  return allows([parsed], {
    action,
    resource: { service: 'oss', region: 'cn-north-1', account: '111111111111', resource },
  })
}

const inside = ({ actions, prefix }: Restriction, action: string, key: string | undefined) =>
  (actions?.includes(action) ?? true) && (prefix === undefined || key?.startsWith(prefix) === true)

t.test('a restricted grant allows exactly what both the grant and the restriction allow', async (t) => {
  const seen = { restricted: 0, refused: 0, allowed: 0, cut: 0 }
  fc.assert(
    fc.property(grants, restrictions, fc.array(path, { minLength: 1, maxLength: 4 }), (grant, restriction, paths) => {
      let narrow: Grant | undefined
      if (refusal(() => (narrow = restrict(grant, restriction, settings))) || !narrow) {
        seen.refused++
        return
      }
      seen.restricted++
      const { prefix = '' } = restriction
      const keys = [...paths, ...paths.map((one) => prefix + one), prefix, `${prefix}a`, undefined]
      for (const key of keys) {
        // Some would be refused by S3, and say nothing less of the policy.
        for (const action of ACTIONS.filter((one) => ON_OBJECTS.has(one) === (key !== undefined))) {
          for (const allows of [stsAllows, ossAllows]) {
            const before = allowed(grant, allows, action, key)
            const want = before && inside(restriction, action, key)
            if (want) seen.allowed++
            else if (before) seen.cut++
            if (allowed(narrow, allows, action, key) !== want) {
              throw new Error(`${allows.name} ${action} ${key} should be ${want}: ${narrow.policy}`)
            }
          }
        }
      }
    }),
    { numRuns: 2500 },
  )
  t.ok(
    Object.values(seen).every((times) => times > 100),
    JSON.stringify(seen),
  )
})

t.test('it is refused if, and only if, it is wider than the grant', async (t) => {
  // A letter that no template has: only a `*` matches it, so that a key with it stands for all keys with the prefix.
  const ANY = '\u{1F4C1}'
  const allowing = grants.filter(({ policy }) => !policy.includes('"Deny"'))
  const seen = { restricted: 0, refused: 0 }
  fc.assert(
    fc.property(allowing, restrictions, (grant, restriction) => {
      const { actions, prefix } = restriction
      const opens = (action: string) =>
        prefix === undefined
          ? parseSessionPolicy(grant.policy)?.Statement.some(({ Action }) => Action.some((one) => fits(one, action)))
          : ON_OBJECTS.has(action) && allowed(grant, ossAllows, action, prefix + ANY)
      const within =
        (actions !== undefined || prefix !== undefined) && (actions ? actions.every(opens) : ACTIONS.some(opens))
      const refused = refusal(() => restrict(grant, restriction, settings))
      seen[refused ? 'refused' : 'restricted']++
      if ((refused === undefined) !== within) throw new Error(`${JSON.stringify(refused)}, but within: ${within}`)
    }),
    { numRuns: 3000 },
  )
  t.ok(
    Object.values(seen).every((times) => times > 100),
    JSON.stringify(seen),
  )
})

t.test('a prefix with a Deny inside is wider than the grant', async () => {
  fc.assert(
    fc.property(grants, restrictions, fc.array(path, { minLength: 1, maxLength: 4 }), (grant, restriction, paths) => {
      const { actions, prefix } = restriction
      if (prefix === undefined || refusal(() => restrict(grant, restriction, settings))) return
      const open = (action: string) =>
        ['', ...paths].every((rest) => allowed(grant, stsAllows, action, `${prefix}${rest}`))
      if (!(actions ? actions.every(open) : [...ON_OBJECTS].some(open))) throw new Error('not all of it is open')
    }),
    { numRuns: 3000 },
  )
})

t.test('nothing that a caller writes as a prefix opens more than what starts with it, in any reading', async (t) => {
  const grant = fillIn(
    template({
      policy: {
        Version: '3',
        Statement: [{ Effect: 'Allow', Action: 'oss:GetObject', Resource: `jrn:oss:*:\${account}:\${bucket}/*` }],
      },
    }),
    { caller: caller({ sub: 'alice' }) },
    settings,
  )
  const text = fc.oneof(
    fc.array(fc.constantFrom('a', '.', '/', '图', 'a', '.a'), { maxLength: 6 }).map((all) => all.join('')),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc
      .array(fc.constantFrom('a', '/', '.', '*', '?', '${', '}', ':', '"', '\\', '%2e', '\n', ' ', '图'), {
        maxLength: 6,
      })
      .map((all) => all.join('')),
  )
  let taken = 0
  fc.assert(
    fc.property(text, (prefix) => {
      let narrow: Grant | undefined
      if (refusal(() => (narrow = restrict(grant, { prefix }, settings))) || !narrow) return true
      taken++
      const parsed = parseSessionPolicy(narrow.policy)
      const resources = parsed?.Statement.flatMap(({ Resource }) => Resource)
      return (
        JSON.stringify(resources) === JSON.stringify([`jrn:oss:*:111111111111:test-app/${prefix}*`]) &&
        !/[*?${}:"\\%\p{C}\s]/u.test(prefix) &&
        !/(?:^|\/)\.{0,2}\/|(?:^|\/)\.{1,2}$/u.test(prefix)
      )
    }),
    { numRuns: 2500 },
  )
  t.ok(taken > 100, `${taken} were taken`)
})

function fits(pattern: string, action: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'u').test(action)
}
