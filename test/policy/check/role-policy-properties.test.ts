import fc from 'fast-check'
import t from 'tap'
import { ossAllows } from '../../../sandbox/iam/evaluate.ts'
import { type Jrn, parseJrn } from '../../../sandbox/iam/jrn.ts'
import type { Policy } from '../../../sandbox/iam/policy.ts'
import { VendError } from '../../../src/errors.ts'
import { exampleCaller } from '../../../src/policy/check/examples.ts'
import { rolePolicy } from '../../../src/policy/check/role-policy.ts'
import { fillIn, type Grant } from '../../../src/policy/grant/grant.ts'
import { settingsFor } from '../../../src/policy/grant/target.ts'
import { OSS_ACTIONS } from '../../../src/policy/language/operations.ts'
import type { Template } from '../../../src/policy/template/template.ts'
import { filesOf } from '../../helpers/template-files.ts'
import { settings, template } from '../../helpers/templates.ts'

// Judged by the sandbox's evaluator, which shares no code with the service.

const ISSUERS = ['app', 'partner']
const settingsOf = (target: string) => ({
  ...settings,
  target,
  bucket: `${target}-app`,
  issuers: ISSUERS,
  severalIssuers: true,
})
const targets = new Map(['east', 'west'].map((target) => [target, settingsOf(target)]))
const one = settingsOf('east')
const ACTIONS = Object.keys(OSS_ACTIONS)

const statement = (...keys: string[]) => ({
  Effect: 'Allow',
  Action: ['oss:PutObject', 'oss:ListMultipartUploadParts'],
  Resource: keys.map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`),
})
const of = (parts: Record<string, unknown> & { params?: object }, ...keys: string[]) =>
  template({
    examples: [{ caller: CALLER, params: paramsOf(parts), cannot: [NOTHING] }],
    ...parts,
    policy: { Version: '3', Statement: [statement(...keys)] },
  })
/** A value for each parameter. */
const paramsOf = ({ params = {} }: { params?: object }) =>
  Object.fromEntries(Object.keys(params).map((name) => [name, 'photos']))
const NOTHING = 'DeleteBucket'
const CALLER = { sub: 'alice', kind: 'a', tenant: 'acme', n: 7 }
const MAP = { acme: 'east', 'acme-2': 'east', beta: 'west' }

/** Templates whose variables have few values, beside the shipped ones and the cookbook. */
const single: readonly Template[] = [
  ...filesOf('policies'),
  ...filesOf('docs/cookbook'),
  of({ allow: { any: [{ issuer: 'app' }, { issuer: 'partner' }] } }, '${issuer}/${jwt:sub}/*', 'x-${issuer}'),
  of({ allow: { claims: { kind: ['a', 'b'], n: { equals: 7 } } } }, '${jwt:kind}/${jwt:n}/${jwt:sub}/*'),
  of({ params: { p: { pattern: 'photos|films' }, q: {} } }, 'in/${param:p}/${jwt:sub}/${param:q}*'),
  of({ params: { p: { kind: 'path' } } }, 'users/${jwt:sub}/${param:p}', 'users/${jwt:sub|hash}/tmp-*/end'),
]
const several: readonly Template[] = [
  of({ target: { from: 'jwt:tenant', map: MAP } }, 'of/${jwt:tenant}/${jwt:sub}/*'),
  of(
    {
      target: { from: 'param:p', map: MAP },
      params: { p: {} },
      examples: [{ caller: CALLER, params: { p: 'beta' }, cannot: [NOTHING] }],
    },
    'of/${param:p}/${jwt:sub}/*',
  ),
]
const bound = [
  ...single.map((template) => ({ template, all: new Map([['east', one]]) })),
  ...several.map((template) => ({ template, all: targets })),
]

type Bound = (typeof bound)[number]

const segment = fc.oneof(
  fc.constantFrom(
    'acme',
    'acme-2',
    'beta',
    'a',
    'b',
    'photos',
    'films',
    'alice',
    'users',
    'in',
    'public',
    'tmp-1',
    '桶',
  ),
  fc.stringMatching(/^[a-z0-9.~@=-]{1,6}$/u).filter((text) => text !== '.' && text !== '..'),
)
const rest = fc.oneof(fc.constantFrom('', '/', 'a/b', '/end'), fc.string({ maxLength: 5 }))
const request = fc.record({
  chosen: fc.constantFrom(...bound),
  example: fc.nat(),
  changed: fc.dictionary(fc.constantFrom('sub', 'kind', 'tenant', 'tid', 'email', 'org', 'p', 'q', 'album'), segment, {
    maxKeys: 3,
  }),
  issuer: fc.constantFrom(...ISSUERS),
  fill: rest,
})

/** The grant of an example's caller with other values, and its target; undefined if it is refused. */
function grantOf({ template, all }: Bound, index: number, changed: Record<string, string>, issuer: string) {
  const example = template.examples[index % template.examples.length]
  if (!example) return undefined
  const { claims } = exampleCaller(template, example, ISSUERS)
  const known = Object.keys({ ...template.params })
  const params = { ...example.params, ...pick(changed, known) }
  const changedClaims = { ...claims, ...pick(changed, Object.keys(claims)) }
  const caller = { issuer, subject: String(changedClaims.sub), claims: changedClaims }
  try {
    const asked = { caller, params, at: example.at ?? 0 }
    const { target } = settingsFor(template, asked, all)
    return { grant: fillIn(template, asked, all.get(target) ?? one), target }
  } catch (error) {
    if (error instanceof VendError) return undefined
    throw error
  }
}

const pick = (from: Record<string, string>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))

/** The permissions of a role for these templates, read back from JSON text. */
const makeRole = (templates: typeof bound, target: string): Policy =>
  JSON.parse(
    JSON.stringify(
      rolePolicy(
        templates.flatMap(({ template, all }) => {
          const settings = all.get(target)
          return settings ? [{ template, settings }] : []
        }),
      ),
    ),
  )

const roles = new Map(
  [...targets.keys()].map((target) => {
    const single = new Map(bound.map((chosen) => [chosen, makeRole([chosen], target)]))
    return [target, { single, all: makeRole(bound, target) }]
  }),
)
const roleOf = (chosen: Bound, target: string): Policy => roles.get(target)?.single.get(chosen) ?? NO_ROLE
const roleOfAll = (target: string): Policy => roles.get(target)?.all ?? NO_ROLE
const NO_ROLE: Policy = { Version: '3', Statement: [] }

const sessionPolicyOf = ({ policy }: Grant): Policy => JSON.parse(policy)

t.test('anything that a grant allows is allowed by the permissions of its role', async (t) => {
  const covered = new Map(bound.map(({ template }) => [template, 0]))
  fc.assert(
    fc.property(request, ({ chosen, example, changed, issuer, fill }) => {
      const granted = grantOf(chosen, example, changed, issuer)
      if (!granted) return
      const { grant, target } = granted
      const session = sessionPolicyOf(grant)
      for (const [action, pattern] of grant.actions.flatMap((one) =>
        grant.resources.map((other) => [one, other] as const),
      )) {
        const resource = real(
          pattern.replaceAll('*', (_, at: number) => (at < 'jrn:oss:*'.length ? 'cn-north-1' : fill)),
        )
        if (!ossAllows([session], { action, resource })) continue
        covered.set(chosen.template, (covered.get(chosen.template) ?? 0) + 1)
        for (const role of [roleOf(chosen, target), roleOfAll(target)]) {
          if (!ossAllows([role], { action, resource }))
            throw new Error(`${action} on ${JSON.stringify(resource)} is missing`)
        }
      }
    }),
    { numRuns: 2000 },
  )
  for (const [{ name, description }, times] of covered) t.ok(times > 0, `${name} (${description}): ${times}`)
})

t.test('nothing outside of the shape of a template is allowed', async (t) => {
  const wanted = fc.constantFrom(...bound).chain((chosen) => {
    const resources = roleOf(chosen, 'east').Statement.flatMap(({ Resource }) => Resource)
    const near = fc.tuple(fc.constantFrom(...resources), rest, rest).map(([pattern, ...texts]) =>
      pattern
        .split(':')
        .slice(4)
        .join(':')
        .replaceAll('*', (_, at: number) => texts[at % 2] ?? ''),
    )
    return fc.record({
      chosen: fc.constant(chosen),
      target: fc.constantFrom(...targets.keys()),
      account: fc.constantFrom(...Array<string>(5).fill('111111111111'), '222222222222'),
      resource: fc.oneof(
        near,
        fc.tuple(near, fc.nat(), segment).map(([text, at, other]) => changedAt(text, at, other)),
      ),
      action: fc.constantFrom('oss:PutObject', 'oss:GetObject', ...ACTIONS, 'oss:PutBucketPolicy'),
    })
  })
  const counts = { allowed: 0, refused: 0 }
  fc.assert(
    fc.property(wanted, ({ chosen, target, account, resource: text, action }) => {
      const resource = { service: 'oss', region: 'cn-north-1', account, resource: text }
      const allowed = ossAllows([roleOf(chosen, target)], { action, resource })
      counts[allowed ? 'allowed' : 'refused']++
      const settings = chosen.all.get(target)
      if (allowed && !(settings && fitsShape(chosen.template, settings, action, resource)))
        throw new Error(`${action} on ${JSON.stringify(resource)} is open`)
    }),
    { numRuns: 4000 },
  )
  t.ok(counts.allowed > 200 && counts.refused > 1000, JSON.stringify(counts))
})

t.test('other buckets, other actions, the bucket itself and its root stay shut', async (t) => {
  const role = roleOfAll('east')
  for (const action of ACTIONS) {
    for (const text of [
      'east-app',
      'east-app/',
      'east-app/x',
      'east-app2/users/a/b',
      'west-app/users/a/b',
      'users/a/b',
      '*',
    ])
      t.notOk(
        ossAllows([role], { action, resource: real(`jrn:oss:cn-north-1:111111111111:${text}`) }),
        `${action} ${text}`,
      )
  }
  for (const action of ['oss:DeleteBucket', 'oss:PutBucketPolicy', 'oss:PutObjectAcl', 'sts:assumeRole'])
    t.notOk(ossAllows([role], { action, resource: real('jrn:oss:cn-north-1:111111111111:east-app/users/a/b') }), action)
})

/** A text with one of its characters replaced, or something put in. */
function changedAt(text: string, at: number, other: string): string {
  const place = at % text.length
  return text.slice(0, place) + other + text.slice(place + (at % 2))
}

/** Whether a statement of the template has this action on a resource of this shape, each variable being any text. */
function fitsShape({ statements }: Template, { account, bucket }: typeof one, action: string, resource: Jrn): boolean {
  const text = `jrn:oss:*:${resource.account}:${resource.resource}`
  return statements.some(
    ({ actions, resources }) =>
      actions.includes(action) &&
      resources.some((parts) => {
        const pattern = parts.map((part) => {
          if (part.kind === 'literal') return part.text.split('*').map(quote).join('.*')
          return part.kind === 'account' ? account : part.kind === 'bucket' ? bucket : '.*'
        })
        return new RegExp(`^${pattern.join('')}$`, 'su').test(text)
      }),
  )
}

const quote = (text: string) => text.replace(/[\\^$.|?+()[\]{}]/gu, (sign) => `\\${sign}`)

function real(text: string): Jrn {
  const jrn = parseJrn(text)
  if (!jrn) throw new Error(`${text} is not a JRN`)
  return jrn
}
