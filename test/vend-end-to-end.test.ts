import t, { type Test } from 'tap'
import type { Fault } from '../sandbox/faults.ts'
import { type SandboxOptions, startSandbox } from '../sandbox/index.ts'
import { sandboxEnvironment } from '../sandbox/local.ts'
import { build } from './helpers/build.ts'
import { claims, mint } from './helpers/tokens.ts'

/** The service on a real sandbox, in-process but for the calls to STS. */
async function start(t: Test, options: SandboxOptions = {}, env: Record<string, string> = {}) {
  const sandbox = await startSandbox(options)
  t.teardown(() => sandbox.close())
  // The sandbox's own issuer is refused outside of it, so the tests' one stays.
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const { app, logs } = await build(t, { env: { ...jdcloud, ...env }, realSts: true })
  const vend = async (sub = 'alice') => {
    const headers = { authorization: `Bearer ${mint(claims({ sub }))}` }
    return app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: { policy: 'user-upload' } })
  }
  return { sandbox, vend, logs }
}

t.test('STS is asked for the least, and what it pays out is handed on', async (t) => {
  const { sandbox, vend } = await start(t)
  const { credentials } = (await vend()).json()
  t.equal(sandbox.sts.asked.length, 1)
  const [asked] = sandbox.sts.asked
  t.match(asked, {
    roleJrn: 'jrn:iam::111111111111:role/test-role',
    roleSessionName: 'user-upload@alice',
    durationSeconds: 3600,
  })
  t.strictSame(JSON.parse(asked?.policy ?? '').Statement, [
    {
      Effect: 'Allow',
      Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
      Resource: ['jrn:oss:*:111111111111:test-app/users/alice/*'],
    },
  ])
  t.match(sandbox.world.sessions.lookup(credentials.accessKey, credentials.sessionToken), {
    status: 'valid',
    session: { secretKey: credentials.secretKey, expiresAt: Date.parse(credentials.expiration) },
  })
})

for (const expirationZone of ['UTC', '+08:00'] as const) {
  t.test(`the expiration is the true one when STS writes it in ${expirationZone}`, async (t) => {
    const { sandbox, vend } = await start(t, { expirationZone })
    const { credentials } = (await vend()).json()
    const found = sandbox.world.sessions.lookup(credentials.accessKey, credentials.sessionToken)
    t.match(found, { session: { expiresAt: Date.parse(credentials.expiration) } })
  })
}

t.test('what goes wrong at STS has one code each, and is over when the fault is', async (t) => {
  const { sandbox, vend, logs } = await start(t, {}, { STS_TIMEOUT_MS: '1000' })
  const rows: { fault: Fault; status: number; code: string; retryAfter?: string }[] = [
    { fault: { kind: 'delay', ms: 3000 }, status: 504, code: 'upstream_timeout' },
    { fault: { kind: 'hang' }, status: 504, code: 'upstream_timeout' },
    { fault: { kind: 'status', status: 429 }, status: 503, code: 'upstream_unavailable', retryAfter: '1' },
    {
      fault: { kind: 'status', status: 429, retryAfter: '9' },
      status: 503,
      code: 'upstream_unavailable',
      retryAfter: '9',
    },
    { fault: { kind: 'status', status: 500 }, status: 503, code: 'upstream_unavailable', retryAfter: '1' },
    { fault: { kind: 'html' }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'empty' }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'reset' }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'resetMidBody' }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'garbage' }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'truncated' }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'redirect', to: sandbox.sts.url }, status: 503, code: 'upstream_unavailable' },
    { fault: { kind: 'huge' }, status: 503, code: 'upstream_unavailable' },
  ]
  // Each row is for somebody who has no session yet, whom STS's fault reaches.
  for (const [row, { fault, status, code, retryAfter }] of rows.entries()) {
    t.test(fault.kind, async (t) => {
      sandbox.sts.faults.set(fault)
      const response = await vend(`caller-${row}`)
      t.equal(response.statusCode, status)
      t.match(response.json(), { code, detail: undefined })
      if (retryAfter) t.equal(response.headers['retry-after'], retryAfter)
      sandbox.sts.faults.set(undefined)
      t.equal((await vend(`caller-${row}`)).statusCode, 200)
    })
  }
  t.test("JD Cloud's own request id is in the log", async (t) => {
    sandbox.sts.faults.set({ kind: 'status', status: 500, times: 3 })
    const { requestId } = (await vend('another')).json()
    const line = logs.lines().find(({ reqId, msg }) => reqId === requestId && msg === 'refused')
    t.match(line, { code: 'upstream_unavailable', upstream: { status: 500, requestId: /^[\w.-]+$/u } })
  })
})

t.test('keys, role and clock that STS does not accept are for the operator', async (t) => {
  const rows = [
    { name: 'an unknown key', env: { JDCLOUD_ACCESS_KEY: 'JDC_UNKNOWN' } },
    { name: 'a wrong secret', env: { JDCLOUD_SECRET_KEY: 'wrong' } },
    { name: 'a role that is not there', env: { JDCLOUD_ROLE_NAME: 'other-role' } },
    { name: 'another account', env: { JDCLOUD_ACCOUNT_ID: '222222222222' } },
    { name: 'a clock that is an hour off', options: { scenario: { clock: () => Date.now() + 3_600_000 } } },
  ]
  for (const { name, env, options } of rows) {
    t.test(name, async (t) => {
      const { vend, logs } = await start(t, options, env)
      const response = await vend()
      t.equal(response.statusCode, 502)
      t.equal(response.json().code, 'upstream_denied')
      t.match(
        logs.lines().find(({ msg }) => msg === 'refused'),
        { level: 50, upstream: { reason: String } },
      )
    })
  }
})
