import fc from 'fast-check'
import t from 'tap'
import { ossAllows } from '../../../sandbox/iam/evaluate.ts'
import { VendError } from '../../../src/errors.ts'
import { fillIn, type Grant } from '../../../src/policy/grant/grant.ts'
import { reachesTarget, settingsFor } from '../../../src/policy/grant/target.ts'
import { caller, refusal, settings, template } from '../../helpers/templates.ts'

const named = (target: string, account: string) => ({ ...settings, target, account, bucket: `${target}-bucket` })
const targets = new Map(
  [named('acme', '111111111111'), named('beta', '222222222222'), named('gamma', '333333333333')].map((one) => [
    one.target,
    one,
  ]),
)
const MAP = { 'acme-inc': 'acme', '7': 'beta', constructor: 'beta' }
const byClaim = template({ target: { from: 'jwt:org.tenant', map: MAP } })
const byParam = template({ target: { from: 'param:tenant', map: MAP }, params: { tenant: {} } })

const chosen = (claims: Record<string, unknown>) =>
  settingsFor(byClaim, { caller: caller({ sub: 'alice', ...claims }) }, targets).target

t.test('a claim chooses the target, and an unmapped one chooses none', async (t) => {
  t.equal(chosen({ org: { tenant: 'acme-inc' } }), 'acme')
  t.equal(chosen({ org: { tenant: 7 } }), 'beta', 'a whole number counts as its text')
  t.equal(chosen({ org: { tenant: 'constructor' } }), 'beta', 'an own key of the map, whatever its name')
  const missing = { code: 'policy_not_allowed', detail: 'claim "org.tenant" is missing' }
  const unmapped = { code: 'policy_not_allowed', detail: 'claim "org.tenant" leads to no storage' }
  const rows: [claims: Record<string, unknown>, want: typeof missing][] = [
    [{}, missing],
    [{ 'org.tenant': 'acme-inc' }, missing],
    ...['acme', 'ACME-INC', 'acme-inc ', '', '07', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'].map(
      (tenant): [Record<string, unknown>, typeof missing] => [{ org: { tenant } }, unmapped],
    ),
    ...[['acme-inc'], { 'acme-inc': true }, 7.5, true, null].map(
      (tenant): [Record<string, unknown>, typeof missing] => [{ org: { tenant } }, unmapped],
    ),
  ]
  for (const [claims, want] of rows) {
    t.strictSame(
      refusal(() => chosen(claims)),
      want,
      JSON.stringify(claims),
    )
    t.notOk(reachesTarget(byClaim, caller({ sub: 'alice', ...claims })))
  }
  t.ok(reachesTarget(byClaim, caller({ sub: 'alice', org: { tenant: 'acme-inc' } })))
})

t.test('a parameter chooses the target, and its faults have a pointer', async (t) => {
  const choose = (params?: Record<string, string | number>) =>
    settingsFor(byParam, { caller: caller({ sub: 'alice' }), params }, targets).target
  t.equal(choose({ tenant: 'acme-inc' }), 'acme')
  t.equal(choose({ tenant: 7 }), 'beta')
  const fault = (detail: string) => ({ code: 'invalid_request', errors: [{ pointer: '/params/tenant', detail }] })
  t.strictSame(
    refusal(() => choose()),
    fault('is required'),
  )
  for (const tenant of ['acme', '__proto__', 'toString']) {
    t.strictSame(
      refusal(() => choose({ tenant })),
      fault('must be one of 7, acme-inc, constructor'),
      tenant,
    )
  }
  t.match(
    refusal(() => choose({ tenant: '' })),
    { code: 'unsafe_value' },
  )
})

t.test('a refusal does not list hundreds of values', async (t) => {
  const map = Object.fromEntries(Array.from({ length: 256 }, (_, at) => [`tenant-${at}`, 'acme']))
  const many = template({ target: { from: 'param:tenant', map }, params: { tenant: {} } })
  const told = refusal(() => settingsFor(many, { caller: caller({ sub: 'alice' }), params: { tenant: 'x' } }, targets))
  t.match(told, { errors: [{ detail: 'must be one of the values that GET /v1/policies lists' }] })
})

t.test('a parameter that chooses the target keeps its own rules', async (t) => {
  const parts = (tenant: object) => template({ target: { from: 'param:tenant', map: MAP }, params: { tenant } })
  const choose = (one: typeof byParam, params: Record<string, string>, orgs: unknown = ['acme-inc', 'lost']) =>
    settingsFor(one, { caller: caller({ sub: 'alice', orgs }), params }, targets).target
  t.equal(choose(parts({ default: 'acme-inc' }), {}), 'acme', 'its default is a choice like any other')
  t.match(
    refusal(() => choose(parts({ pattern: '[a-z]+' }), { tenant: '7' })),
    { code: 'invalid_request', errors: [{ detail: 'does not match ^(?:[a-z]+)$' }] },
  )
  const own = parts({ oneOf: 'jwt:orgs' })
  t.equal(choose(own, { tenant: 'acme-inc' }), 'acme')
  // A tenant that exists and one that does not are refused in the same words.
  for (const tenant of ['7', 'nobody']) {
    const want = `parameter "tenant" is none of the caller's own values in claim "orgs"`
    t.strictSame(
      refusal(() => choose(own, { tenant })),
      { code: 'policy_not_allowed', detail: want },
    )
  }
  t.strictSame(
    refusal(() => choose(own, { tenant: 'lost' })),
    { code: 'invalid_request', errors: [{ pointer: '/params/tenant', detail: 'leads to no storage' }] },
    'the map is not told',
  )
})

t.test('a caller who may not have the template learns nothing about its targets', async (t) => {
  const stranger = { ...caller({ sub: 'alice' }), issuer: 'web' }
  for (const one of [byClaim, byParam]) {
    const want = { code: 'policy_not_allowed', detail: "the token's issuer is not accepted" }
    t.strictSame(
      refusal(() => settingsFor(one, { caller: stranger }, targets)),
      want,
    )
  }
})

t.test('without a choice, only a single target serves', async (t) => {
  const request = { caller: caller({ sub: 'alice' }) }
  t.equal(settingsFor(template(), request, new Map([['a', named('a', '1')]])).target, 'a')
  t.throws(() => settingsFor(template(), request, targets), /no target/u)
  t.throws(() => settingsFor(template({ target: 'delta' }), request, targets), /no target/u)
})

const tenants = fc.oneof(
  fc.constantFrom<unknown>('acme-inc', '7', 7, 'constructor', '__proto__', ['7'], { length: 1 }),
  fc.string(),
  fc.anything(),
)
const keys = fc.constantFrom('users/alice/1', 'users/bob/1', 'x', 'users/alice/a/b')

t.test('no claims and no parameters lead to a target that the map does not name for them', async (t) => {
  const wanted = new Map(Object.entries(MAP))
  let granted = 0
  fc.assert(
    fc.property(tenants, tenants, keys, (tenant, param, key) => {
      for (const [one, value] of [
        [byClaim, tenant],
        [byParam, param],
      ] as const) {
        const grant = grantFor(one, tenant, param)
        if (!grant) continue
        granted++
        const expected = wanted.get(String(value))
        if (Array.isArray(value) || typeof value === 'object' || grant.target !== expected) return false
        // The sandbox judges with an evaluator that shares no code with the service.
        const policies = [JSON.parse(grant.policy)]
        for (const { target, account, bucket } of targets.values()) {
          const resource = { service: 'oss', region: 'cn-north-1', account, resource: `${bucket}/${key}` }
          const allowed = ossAllows(policies, { action: 'oss:PutObject', resource })
          if (allowed !== (target === expected && key.startsWith('users/alice/'))) return false
        }
      }
      return true
    }),
    { numRuns: 3000 },
  )
  t.ok(granted > 300, `${granted} grants`)
})

function grantFor(one: typeof byClaim, tenant: unknown, param: unknown): Grant | undefined {
  const params = typeof param === 'string' || typeof param === 'number' ? { tenant: param } : {}
  const request = {
    caller: caller({ sub: 'alice', org: { tenant } }),
    ...(one === byParam && { params }),
  }
  try {
    return fillIn(one, request, settingsFor(one, request, targets))
  } catch (error) {
    if (error instanceof VendError) return undefined
    throw error
  }
}
