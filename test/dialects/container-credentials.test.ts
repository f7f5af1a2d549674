import t from 'tap'
import { VendError } from '../../src/errors.ts'
import { build, SENTINELS } from '../helpers/build.ts'
import { manualClock, settle } from '../helpers/clock.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { heldSource } from '../helpers/vending.ts'

const token = mint(claims())
const URL_OF = '/v1/aws/container-credentials'
const ask = (path: string, headers: Record<string, string> = { authorization: token }) => ({
  method: 'GET' as const,
  url: `${URL_OF}/${path}`,
  headers,
})

t.test('it answers exactly what every SDK reads', async (t) => {
  const { app, asked, logs } = await build(t)
  for (const authorization of [token, `Bearer ${token}`, `bearer  ${token}`]) {
    const answer = await app.inject(ask('user-upload', { authorization }))
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], 'application/json')
    t.equal(answer.headers['cache-control'], 'no-store')
    t.strictSame(Object.keys(answer.json()), ['AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration'])
    t.match(answer.json(), {
      AccessKeyId: SENTINELS.accessKey,
      SecretAccessKey: SENTINELS.secretKey,
      Token: SENTINELS.sessionToken,
      Expiration: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u,
    })
  }
  t.equal(asked.length, 1, 'and one session serves all')
  t.match(
    logs.lines().find(({ msg }) => msg === 'vended'),
    {
      policy: 'user-upload',
      roleSessionName: 'user-upload@alice',
      dialect: 'container',
    },
  )
})

t.test('each query parameter is a parameter of the policy', async (t) => {
  const { app, asked } = await build(t)
  const rows = [
    { query: '?album=trip', want: 200 },
    { query: '?album=tr%69p', want: 200 },
    { query: '', want: 400 },
    { query: '?album=Trip', want: 400 },
    { query: '?album=a%2Fb', want: 422 },
    { query: '?album=trip&durationSeconds=3600', want: 400 },
  ]
  for (const { query, want } of rows) {
    t.test(query || 'none', async (t) => t.equal((await app.inject(ask(`album-upload${query}`))).statusCode, want))
  }
  t.test('STS was asked for the album', async (t) => {
    t.equal(asked.length, 1)
    t.match(asked[0]?.policy, 'users/alice/albums/trip/*')
  })
})

t.test('no name is set apart: a policy may have a parameter called durationSeconds', async (t) => {
  const dir = t.testdir({
    'mine.yaml': JSON.stringify({
      description: 'd',
      allow: { issuer: 'app' },
      params: { durationSeconds: { pattern: '[0-9]{1,6}' }, restrictTo: { pattern: '[0-9]{1,6}' } },
      policy: {
        Version: '3',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['oss:GetObject'],
            Resource: 'jrn:oss:*:${account}:${bucket}/u/${jwt:sub}/${param:durationSeconds}/${param:restrictTo}/*',
          },
        ],
      },
      examples: [
        {
          caller: { sub: 'alice' },
          params: { durationSeconds: '1', restrictTo: '2' },
          can: ['GetObject u/alice/1/2/x'],
          cannot: ['GetObject u/bob/1/2/x'],
        },
      ],
    }),
  })
  const { app, asked } = await build(t, { env: { POLICIES_DIR: dir } })
  const answer = await app.inject(ask('mine?durationSeconds=7200&restrictTo=5'))
  t.equal(answer.statusCode, 200)
  t.equal(asked[0]?.durationSeconds, 3600, "the session has the policy's length")
  t.match(asked[0]?.policy, 'u/alice/7200/5/*')
})

t.test('restrictTo.actions and restrictTo.prefix leave less of the policy', async (t) => {
  const { app, asked } = await build(t)
  const rows: { query: string; want?: { Action: string[]; Resource: string }; pointers?: string[] }[] = [
    {
      query: 'restrictTo.prefix=users/alice/in/',
      want: { Action: ['oss:PutObject', 'oss:AbortMultipartUpload'], Resource: 'users/alice/in/*' },
    },
    {
      query: 'restrictTo.actions=oss:PutObject',
      want: { Action: ['oss:PutObject'], Resource: 'users/alice/*' },
    },
    {
      query: 'restrictTo.actions=oss%3AAbortMultipartUpload,oss:PutObject&restrictTo.prefix=users%2Falice%2Fa',
      want: { Action: ['oss:AbortMultipartUpload', 'oss:PutObject'], Resource: 'users/alice/a*' },
    },
    { query: 'restrictTo.prefix=users/bob/', pointers: ['/restrictTo/prefix'] },
    { query: 'restrictTo.prefix=', pointers: ['/restrictTo/prefix'] },
    { query: 'restrictTo.prefix=users/alice/*', pointers: ['/restrictTo/prefix'] },
    { query: 'restrictTo.actions=', pointers: ['/restrictTo/actions/0'] },
    { query: 'restrictTo.actions=oss:PutObject,', pointers: ['/restrictTo/actions/1'] },
    { query: 'restrictTo.actions=oss:*', pointers: ['/restrictTo/actions/0'] },
    { query: 'restrictTo.Prefix=users/alice/in/', pointers: ['/restrictTo/Prefix'] },
    { query: 'restrictTo.prefix.x=users/alice/in/', pointers: ['/restrictTo/prefix.x'] },
    { query: 'restrictTo.=users/alice/in/', pointers: ['/restrictTo/'] },
    { query: 'restrictto.prefix=users/alice/in/', pointers: ['/params/restrictto.prefix'] },
    { query: 'restrictTo=users/alice/in/', pointers: ['/params/restrictTo'] },
    { query: 'prefix=users/alice/in/', pointers: ['/params/prefix'] },
  ]
  for (const { query, want, pointers } of rows) {
    t.test(query, async (t) => {
      const before = asked.length
      const answer = await app.inject(ask(`user-upload?${query}`))
      t.strictSame(
        answer.json().errors?.map(({ pointer }: { pointer: string }) => pointer),
        pointers,
      )
      t.equal(asked.length - before, want ? 1 : 0)
      if (!want) return
      const { Action, Resource } = want
      t.match(JSON.parse(asked.at(-1)?.policy ?? '').Statement, [
        { Action, Resource: [`jrn:oss:*:111111111111:test-app/${Resource}`] },
      ])
    })
  }
})

t.test('each refusal has the four members that SDKs read, beside those of a problem', async (t) => {
  const failing = (error: unknown) => ({ assumeRole: () => Promise.reject(error), close: async () => {} })
  const unavailable = new VendError('upstream_unavailable', { retryAfterSeconds: 7 })
  const rows = [
    { name: 'no such parameter', request: ask('user-upload?a=b'), status: 400, code: 'invalid_request' },
    { name: 'no token', request: ask('user-upload', {}), status: 401, code: 'unauthenticated' },
    {
      name: 'a bad token',
      request: ask('user-upload', { authorization: `${token}x` }),
      status: 401,
      code: 'unauthenticated',
    },
    { name: 'not for this caller', request: ask('user-files'), status: 403, code: 'policy_not_allowed' },
    { name: 'no such policy', request: ask('nope'), status: 404, code: 'policy_not_found' },
    { name: 'a value that is not safe', request: ask('album-upload?album=*'), status: 422, code: 'unsafe_value' },
    { name: 'STS refuses', error: new VendError('upstream_denied'), status: 502, code: 'upstream_denied' },
    { name: 'STS is down', error: unavailable, status: 503, code: 'upstream_unavailable', retryAfter: '7' },
    { name: 'STS is late', error: new VendError('upstream_timeout'), status: 504, code: 'upstream_timeout' },
    { name: 'a fault of ours', error: new Error(SENTINELS.secretKey), status: 500, code: 'internal_error' },
  ]
  for (const { name, request = ask('user-upload'), error, status, code, retryAfter } of rows) {
    t.test(name, async (t) => {
      const { app } = await build(t, { ...(error && { dependencies: { source: failing(error) } }) })
      const answer = await app.inject(request)
      t.equal(answer.statusCode, status)
      t.match(answer.headers['content-type'], /^application\/problem\+json/u)
      const body = answer.json()
      t.match(body, { type: `urn:oss-vend:problem:${code}`, status, code, Code: code, requestId: /./u })
      t.equal(body.message, body.Message)
      t.match(body.message, body.requestId)
      if (retryAfter) t.equal(answer.headers['retry-after'], retryAfter)
    })
  }
  t.test('too many requests', async (t) => {
    const limits = [
      { RATE_LIMIT_ADDRESS_PER_MINUTE: '1' },
      { RATE_LIMIT_CALLER_PER_MINUTE: '1' },
      { RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '1' },
    ]
    for (const env of limits) {
      const { app } = await build(t, { env })
      await app.inject(ask('album-upload?album=a'))
      const answer = await app.inject(ask('album-upload?album=b'))
      t.match(answer.json(), {
        status: 429,
        code: 'rate_limited',
        Code: 'rate_limited',
        message: /too (?:often|many)/u,
      })
      t.match(answer.headers['retry-after'], /^\d+$/u)
    }
  })
  t.test('too many bad tokens', async (t) => {
    const { app } = await build(t, { env: { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '1' } })
    const bad = ask('user-upload', { authorization: 'nonsense' })
    t.equal((await app.inject(bad)).statusCode, 401)
    t.match((await app.inject(bad)).json(), { status: 429, Code: 'rate_limited' })
  })
})

t.test('an SDK that waits one second is told in time, and finds the session when it asks again', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { app } = await build(t, { dependencies: { clock, source } })
  const first = app.inject(ask('user-upload'))
  while (asked.length === 0) await settle()
  let answered = false
  first.then(() => {
    answered = true
  })
  await clock.advance(900)
  t.ok(answered, 'answered after 900 ms at the latest')
  const answer = await first
  t.match([answer.statusCode, answer.headers['retry-after']], [503, '1'])
  t.match(answer.json(), { code: 'upstream_unavailable', Code: 'upstream_unavailable' })
  asked[0]?.pay({
    accessKey: SENTINELS.accessKey,
    secretKey: SENTINELS.secretKey,
    sessionToken: SENTINELS.sessionToken,
    expiresAt: clock.now() + 3_600_000,
  })
  await settle()
  t.equal((await app.inject(ask('user-upload'))).statusCode, 200)
  t.equal(asked.length, 1, 'by the very call that went on')
})

t.test("a browser's preflight is answered, for pages of configured origins", async (t) => {
  const { app } = await build(t, { env: { CORS_ORIGINS: 'https://app.example.test' } })
  const preflight = (url: string, method: string, origin: string, headers: string) =>
    app.inject({
      method: 'OPTIONS',
      url,
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
    })
  const good = await preflight(`${URL_OF}/user-upload`, 'GET', 'https://app.example.test', 'authorization')
  t.equal(good.statusCode, 204)
  t.equal(good.headers['access-control-allow-origin'], 'https://app.example.test')
  t.match(good.headers['access-control-allow-headers'], /authorization/u)
  const sdk = 'amz-sdk-invocation-id,amz-sdk-request,content-type,x-amz-user-agent'
  const sts = await preflight('/v1/aws/sts', 'POST', 'https://app.example.test', sdk)
  for (const header of sdk.split(',')) t.match(sts.headers['access-control-allow-headers'], header)
  const bad = await preflight(`${URL_OF}/user-upload`, 'GET', 'https://evil.example.test', 'authorization')
  t.equal(bad.headers['access-control-allow-origin'], undefined)
})
