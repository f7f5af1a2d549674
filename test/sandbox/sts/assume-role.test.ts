import t from 'tap'
import type { Policy, Statement } from '../../../sandbox/iam/policy.ts'
import type { Role, User, World } from '../../../sandbox/world.ts'
import { SANDBOX_KEYS } from '../../../sandbox/world.ts'
import { NOW, ROLE_JRN, refuses, startSts } from './harness.ts'

const statement = (Effect: Statement['Effect'], action: string, resource: string): Policy => ({
  Version: '3',
  Statement: [{ Effect, Action: [action], Resource: [resource] }],
})
/** The same policy with a condition that the sandbox cannot evaluate. */
const conditional = (policy: Policy): Policy => ({
  ...policy,
  Statement: policy.Statement.map((one) => ({ ...one, Condition: { Bool: { no: 'true' } } })),
})
const allow = statement('Allow', 'sts:assumeRole', ROLE_JRN)

/** The world with test-iam's policies replaced. */
const userWith =
  (...policies: Policy[]) =>
  (world: World): World => {
    const user: User = { name: 'test-iam', ...SANDBOX_KEYS.testIam, policies }
    return { ...world, users: new Map([[user.accessKey, user]]) }
  }

/** The world with its role changed. */
const roleWith =
  (change: Partial<Role>) =>
  (world: World): World => ({
    ...world,
    roles: new Map([...world.roles].map(([jrn, role]) => [jrn, { ...role, ...change }])),
  })

t.test("the user's own policies", async (t) => {
  const refused = [403, 'APIGW_CHILD_ACCOUNT_NOT_ALLOWED'] as const
  const rows = [
    { name: 'none', policies: [], want: refused },
    { name: 'on another role', policies: [statement('Allow', 'sts:assumeRole', `${ROLE_JRN}2`)], want: refused },
    { name: 'of another action', policies: [statement('Allow', 'sts:getCallerIdentity', ROLE_JRN)], want: refused },
    { name: 'with a Condition', policies: [conditional(allow)], want: refused },
    { name: 'a Deny in one of two', policies: [allow, statement('Deny', 'sts:*', '*')], want: refused },
  ]
  for (const { name, policies, want } of rows) refuses(t, [{ name, input: {}, want }], userWith(...policies))

  t.test('one allowing policy is enough', async (t) => {
    const sts = await startSts(t, { world: userWith(statement('Allow', 'oss:PutObject', '*'), allow) })
    t.equal((await sts.call()).status, 200)
  })
})

t.test('the trust of the role', async (t) => {
  const untrusted = [403, 'HTTP_FORBIDDEN'] as const
  refuses(t, [{ name: 'the owner, untrusted', input: { keys: SANDBOX_KEYS.owner }, want: untrusted }])
  refuses(t, [{ name: 'a user, untrusted', input: {}, want: untrusted }], roleWith({ trusts: ['test-iam2'] }))

  t.test('the owner, trusted', async (t) => {
    const sts = await startSts(t, { world: roleWith({ trusts: ['owner'] }) })
    t.equal((await sts.call({ keys: SANDBOX_KEYS.owner })).status, 200)
  })
})

refuses(t, [
  {
    name: 'an unknown role',
    input: { info: { roleJrn: 'jrn:iam::111111111111:role/other' } },
    want: [404, 'NOT_FOUND'],
  },
  {
    name: 'a role of another account',
    input: { info: { roleJrn: 'jrn:iam::222222222222:role/test-role' } },
    want: [404, 'NOT_FOUND'],
  },
])

t.test('durations', async (t) => {
  const refused = [400, 'OUT_OF_RANGE', 'assumeRoleInfo.durationSeconds'] as const
  for (const durationSeconds of [0, -3600, 900, 3599, 7201]) {
    const row = { name: String(durationSeconds), input: { info: { durationSeconds } }, want: refused }
    refuses(t, [row], roleWith({ maxSessionSeconds: 7200 }))
  }
  for (const [durationSeconds, granted] of [
    [undefined, 3600],
    [3600, 3600],
    [3601, 3601],
    [7200, 7200],
  ] as const) {
    t.test(`${durationSeconds} gives ${granted}`, async (t) => {
      const sts = await startSts(t, { world: roleWith({ maxSessionSeconds: 7200 }) })
      const { result } = await sts.call({ info: { durationSeconds } })
      const expiration = new Date(NOW + granted * 1000).toISOString().slice(0, 19).replace('T', ' ')
      t.equal(result?.credentials.expiration, expiration)
    })
  }
})

t.test('the credentials belong to a session with the requested role, name and policy', async (t) => {
  const sts = await startSts(t)
  const policy = statement('Allow', 'oss:PutObject', 'jrn:oss:*:111111111111:test-app/users/alice/*')
  const { result } = await sts.call({ info: { policy: JSON.stringify(policy) } })
  const lookup = sts.world.sessions.lookup(result?.credentials.accessKey ?? '', result?.credentials.sessionToken ?? '')
  t.match(lookup, {
    status: 'valid',
    session: { role: { jrn: ROLE_JRN }, sessionName: 'upload@alice', policy, secretKey: result?.credentials.secretKey },
  })
})
