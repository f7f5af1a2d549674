import t, { type Test } from 'tap'
import { VendError } from '../src/errors.ts'
import { build, SENTINELS } from './helpers/build.ts'
import { collector } from './helpers/collector.ts'
import { listen } from './helpers/listen.ts'
import { sendRaw } from './helpers/raw.ts'
import { claims, keys, mint } from './helpers/tokens.ts'

const SUBJECT_SECRET = 'SENTINEL-claim-value'
const token = mint(claims({ email: SUBJECT_SECRET }))
const signature = token.split('.')[2] ?? ''

/** Everything that must not be found, the token also by its signature alone. */
const secrets = [...Object.values(SENTINELS), SUBJECT_SECRET, token, signature, keys.hmac]

/** The audit names sessions by their access keys, which open nothing by themselves, and nothing else of them. */
const ACCESS_KEY_ID = `"accessKeyId":"${SENTINELS.accessKey}"`

function mustNotLeak(t: Test, text: string, where: string, allowed: readonly string[] = []) {
  for (const secret of secrets) {
    if (!allowed.includes(secret)) t.notOk(text.includes(secret), `${where} has no ${secret.slice(0, 30)}`)
  }
}

const post = (payload: unknown, more: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: '/v1/credentials',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})

t.test('what is paid out is told to nobody but its caller', async (t) => {
  const { app, logs, audit } = await build(t)
  const response = await app.inject(post({ policy: 'user-upload' }))
  t.match(audit.text(), ACCESS_KEY_ID, 'the audit was looked at')
  mustNotLeak(t, audit.text().replace(ACCESS_KEY_ID, ''), 'the audit')
  t.equal(response.json().credentials.secretKey, SENTINELS.secretKey)
  t.match(logs.text(), 'vended', 'the log was looked at')
  mustNotLeak(t, logs.text(), 'the log')
  const { accessKey, secretKey, sessionToken } = SENTINELS
  mustNotLeak(t, response.body + JSON.stringify(response.headers), 'the answer', [accessKey, secretKey, sessionToken])
})

t.test('no trace tells anything, nor whom it is about', async (t) => {
  const to = await collector(t)
  const COLLECTOR_TOKEN = 'SENTINEL-collector-token'
  const endpoint = await listen(t, (_request, response) => {
    response.writeHead(403).end(JSON.stringify({ error: { code: 403, message: SENTINELS.stsSecretKey } }))
  })
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: to.url, OTEL_EXPORTER_OTLP_HEADERS: `authorization=${COLLECTOR_TOKEN}` }
  const subject = 'SENTINEL-subject'
  const named = mint(claims({ sub: subject, email: SUBJECT_SECRET }))
  const key = `users/${subject}/SENTINEL-key`
  const bearer = { authorization: `Bearer ${named}` }
  for (const realSts of [false, true]) {
    const { app, logs } = await build(t, { env: { ...env, JDCLOUD_STS_ENDPOINT: endpoint }, realSts })
    const bodies = [
      ['/v1/credentials', { policy: 'user-upload' }],
      ['/v1/presigned-urls', { policy: 'user-upload', operation: 'PutObject', key }],
      ['/v1/presigned-posts', { policy: 'user-upload', key, maxBytes: 1 }],
      ['/v1/credentials', { policy: SENTINELS.secretKey }],
      [`/v1/${named}?token=${named}`, {}],
    ] as const
    for (const [url, payload] of bodies) await app.inject({ method: 'POST', url, headers: bearer, payload })
    await app.inject({ url: `/v1/aws/container-credentials/user-upload?x=${named}`, headers: bearer })
    await app.inject({
      ...{ method: 'POST', url: '/v1/aws/sts', payload: `WebIdentityToken=${named}` },
      headers: { 'content-type': 'application/x-www-form-urlencoded', tracestate: SENTINELS.secretKey },
    })
    await app.close()
    t.notMatch(logs.text(), COLLECTOR_TOKEN)
  }
  t.ok(to.spans().length > 30, 'the traces were looked at')
  mustNotLeak(t, to.text(), 'a trace')
  for (const secret of [subject, 'SENTINEL-', named, named.split('.')[2] ?? '', 'X-Amz-Signature', COLLECTOR_TOKEN])
    t.notOk(to.text().includes(secret), `a trace has no ${secret.slice(0, 30)}`)
})

t.test('no refusal tells anything', async (t) => {
  const { app, logs, audit } = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const requests = [
    post({ policy: 'nope' }),
    post({ policy: 'user-files' }),
    post({ policy: 'album-upload', params: { album: SENTINELS.secretKey } }),
    post({ policy: SENTINELS.secretKey }),
    post(`{"policy":"${SENTINELS.secretKey}`),
    post({ policy: 'user-upload' }, { 'content-type': `text/${SENTINELS.secretKey}` }),
    post({ policy: 'user-upload' }, { authorization: `Bearer ${token}x` }),
    post({ policy: 'user-upload' }, { authorization: `Bearer ${token} ${token}` }),
    post({ policy: 'user-upload' }, { authorization: token }),
    post({ policy: 'user-upload' }, { 'user-agent': `curl ${token}`, 'x-request-id': token.slice(0, 128) }),
    post({ policy: 'user-files', params: { token } }),
    { ...post({}), method: 'GET' as const, url: `/v1/aws/container-credentials/user-upload?token=${token}` },
    { ...post({ policy: 'user-files', operation: 'GetObject', key: `x/${token}` }), url: '/v1/presigned-urls' },
    { ...post({ policy: 'user-upload', keyPrefix: token, maxBytes: 1 }), url: '/v1/presigned-posts' },
    {
      ...post(new URLSearchParams({ WebIdentityToken: `${token}x`, RoleSessionName: token.slice(0, 64) }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
      }),
      url: '/v1/aws/sts',
    },
    post({ policy: 'user-upload' }, { authorization: `Bearer ${mint(claims({ email: SUBJECT_SECRET, exp: 1 }))}` }),
    post({ policy: 'user-upload' }, { authorization: `Bearer ${mint(claims({ sub: `${SUBJECT_SECRET}*` }))}` }),
    { ...post({ policy: 'user-upload' }), url: `/v1/credentials/${token}?token=${token}` },
    { ...post({ policy: 'user-upload' }), url: `/%zz?access_token=${token}` },
    { method: 'GET' as const, url: `/v1/policies?access_token=${token}` },
    {
      method: 'GET' as const,
      url: '/docs',
      headers: { authorization: `Bearer ${token}`, 'x-request-id': `${token} x` },
    },
  ]
  for (const request of requests) {
    const response = await app.inject(request)
    const allowed =
      response.statusCode === 200 ? [SENTINELS.accessKey, SENTINELS.secretKey, SENTINELS.sessionToken] : []
    mustNotLeak(
      t,
      response.body + JSON.stringify(response.headers),
      `${request.method} ${response.statusCode}`,
      allowed,
    )
  }
  for (const bytes of [`GET /${token} HTTP/9\r\nauthorization: Bearer ${token}\r\n\r\n`, `${token}\r\n\r\n`]) {
    mustNotLeak(t, await sendRaw(url, bytes), 'the parser')
  }
  t.ok(logs.lines().length > requests.length)
  mustNotLeak(t, logs.text(), 'the log')
  t.ok(audit.lines().length > requests.length - 5)
  // One caller has this subject: the audit is there to name callers.
  const rest = audit.text().replaceAll(ACCESS_KEY_ID, '').replaceAll(`"subject":"${SUBJECT_SECRET}*"`, '')
  mustNotLeak(t, rest, 'the audit')
})

t.test('no failure of the source tells anything', async (t) => {
  const quoting = new Error(`cannot reach STS with ${SENTINELS.stsSecretKey}`, { cause: new Error(token) })
  Object.assign(quoting, { code: SENTINELS.stsSecretKey.repeat(9), request: { headers: { authorization: token } } })
  const failures = [
    quoting,
    new TypeError(SENTINELS.sessionToken),
    new VendError('upstream_denied', { cause: quoting, log: { upstream: { status: 403 } } }),
    new VendError('upstream_unavailable', { detail: SENTINELS.secretKey, retryAfterSeconds: 1 }),
    Object.assign(new Error(token), { statusCode: 400, validation: undefined, body: SENTINELS.secretKey }),
    `a string with ${SENTINELS.secretKey}`,
    { sessionToken: SENTINELS.sessionToken },
  ]
  for (const failure of failures) {
    const source = { assumeRole: () => Promise.reject(failure), close: async () => {} }
    const { app, logs, audit } = await build(t, { dependencies: { source } })
    const response = await app.inject(post({ policy: 'user-upload' }))
    t.ok(response.statusCode >= 400)
    t.match(audit.decisions(), [{ outcome: 'failed' }])
    mustNotLeak(t, audit.text(), 'the audit')
    t.match(logs.text(), '"reqId"')
    mustNotLeak(t, response.body + JSON.stringify(response.headers), `${response.statusCode}`)
    mustNotLeak(t, logs.text(), 'the log')
  }
})

t.test('STS that answers with secrets in the wrong places', async (t) => {
  const spill = {
    requestId: SENTINELS.secretKey.repeat(3),
    error: { code: 403, status: `HTTP ${SENTINELS.secretKey}`, message: SENTINELS.stsSecretKey },
  }
  const answers = [
    { status: 403, body: JSON.stringify(spill) },
    { status: 500, body: SENTINELS.stsSecretKey },
    {
      status: 200,
      body: JSON.stringify({ result: { credentials: { ...SENTINELS, expiration: SENTINELS.secretKey } } }),
    },
    { status: 302, body: '' },
  ]
  for (const { status, body } of answers) {
    const endpoint = await listen(t, (_request, response) => {
      response
        .writeHead(status, { location: `http://127.0.0.1:1/${SENTINELS.secretKey}`, 'x-echo': SENTINELS.secretKey })
        .end(body)
    })
    const { app, logs, audit } = await build(t, {
      env: { JDCLOUD_STS_ENDPOINT: endpoint },
      realSts: true,
    })
    const response = await app.inject(post({ policy: 'user-upload' }))
    t.match(response.json().code, /^upstream_/u)
    mustNotLeak(t, audit.text(), 'the audit')
    mustNotLeak(t, response.body + JSON.stringify(response.headers), `STS ${status}`)
    mustNotLeak(t, logs.text(), 'the log')
  }
})

t.test('an unexpected error is logged by what it is and where it was, and nothing it says', async (t) => {
  const source = { assumeRole: () => Promise.reject(new RangeError(SENTINELS.secretKey)), close: async () => {} }
  const { app, logs } = await build(t, { dependencies: { source } })
  t.equal((await app.inject(post({ policy: 'user-upload' }))).json().code, 'internal_error')
  const line = logs.lines().find(({ msg }) => msg === 'unexpected error')
  t.match(line, { policy: 'user-upload', error: { type: 'RangeError', stack: [/no-secret-leaks\.test\.ts/u] } })
})
