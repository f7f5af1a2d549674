import t from 'tap'
import { MockAgent } from 'undici'
import { signJdcloud2 } from '../../src/lib/signature-v4.ts'
import { listen } from '../helpers/listen.ts'
import { ask, CREDENTIALS, GRANT, KEYS, NOW, REQUEST_ID, SUCCESS } from './harness.ts'

t.test('asks as the documentation says, signed, and reads the answer', async (t) => {
  const agent = new MockAgent()
  agent.disableNetConnect()
  const pool = { dispatcher: agent, close: () => agent.close() }
  let seen = { body: '', headers: {} as Record<string, string> }
  agent
    .get('https://sts.jdcloud-api.com')
    .intercept({ method: 'POST', path: '/v1/sessionToken%3AassumeRole' })
    .reply(200, ({ body, headers }) => {
      seen = { body: String(body), headers: headers as Record<string, string> }
      return SUCCESS
    })
  const { expiration, ...keys } = CREDENTIALS
  t.strictSame(await ask(t, 'https://sts.jdcloud-api.com', { pool }), { ...keys, expiresAt: NOW + 3_600_000 })
  t.strictSame(JSON.parse(seen.body), {
    assumeRoleInfo: { roleJrn: 'jrn:iam::111111111111:role/test-role', ...GRANT },
  })
  const request = {
    method: 'POST',
    host: 'sts.jdcloud-api.com',
    path: '/v1/sessionToken%3AassumeRole',
    headers: { 'content-type': 'application/json' },
    body: seen.body,
    service: 'sts',
    region: 'jdcloud-api',
    date: '20260101T000000Z',
    nonce: 'nonce-1',
  }
  t.strictSame(seen.headers, signJdcloud2(request, KEYS))
})

t.test('each answer has one meaning', async (t) => {
  const json = (value: unknown) => JSON.stringify(value)
  const failure = (code: number, status: string) =>
    json({
      requestId: REQUEST_ID,
      error: { code, status, message: 'SENTINEL in a message', details: [{ a: 'SENTINEL' }] },
    })
  const upstream = (status: number, code?: number, reason?: string) => ({
    upstream: { status, requestId: REQUEST_ID, code, reason },
  })
  const credentials = (changes: object) =>
    json({ requestId: 'r', result: { credentials: { ...CREDENTIALS, ...changes } } })
  const unusable = { code: 'upstream_unavailable', retryAfter: undefined }
  const rows = [
    {
      name: '400',
      status: 400,
      body: failure(400, 'INVALID_ARGUMENT'),
      want: { code: 'upstream_denied', log: upstream(400, 400, 'INVALID_ARGUMENT') },
    },
    {
      name: '403',
      status: 403,
      body: failure(403, 'HTTP_FORBIDDEN'),
      want: { code: 'upstream_denied', log: upstream(403, 403, 'HTTP_FORBIDDEN') },
    },
    {
      name: '404 with a sub-code',
      status: 404,
      body: failure(40401, 'NOT_FOUND'),
      want: { code: 'upstream_denied', log: upstream(404, 40401, 'NOT_FOUND') },
    },
    {
      name: '429',
      status: 429,
      body: failure(429, 'QUOTA_EXCEEDED'),
      want: { code: 'upstream_unavailable', retryAfter: undefined, log: upstream(429, 429, 'QUOTA_EXCEEDED') },
    },
    {
      name: '429 with Retry-After',
      status: 429,
      headers: { 'retry-after': '7' },
      body: failure(429, 'RATE_LIMIT_EXCEEDED'),
      want: { code: 'upstream_unavailable', retryAfter: 7 },
    },
    {
      name: '429 with a day of Retry-After',
      status: 429,
      headers: { 'retry-after': '86400' },
      body: failure(429, 'RATE_LIMIT_EXCEEDED'),
      want: { code: 'upstream_unavailable', retryAfter: 60 },
    },
    {
      name: '429 with a date',
      status: 429,
      headers: { 'retry-after': 'Wed, 01 Jan 2027 00:00:00 GMT' },
      body: '',
      want: { code: 'upstream_unavailable', retryAfter: undefined },
    },
    {
      name: '500',
      status: 500,
      body: failure(500, 'INTERNAL'),
      want: { code: 'upstream_unavailable', log: upstream(500, 500, 'INTERNAL') },
    },
    {
      name: "a gateway's HTML",
      status: 502,
      body: '<html>SENTINEL</html>',
      want: { code: 'upstream_unavailable', log: { upstream: { status: 502 } } },
    },
    { name: 'nothing at all', status: 503, body: '', want: { code: 'upstream_unavailable' } },
    { name: '403 with nothing', status: 403, body: '', want: { code: 'upstream_denied' } },
    {
      name: 'a redirect is not followed',
      status: 302,
      headers: { location: 'http://127.0.0.1:1/' },
      body: '',
      want: { code: 'upstream_unavailable', log: { upstream: { status: 302 } } },
    },
    {
      name: 'a request id with a line break',
      status: 403,
      body: json({ requestId: 'a\nb', error: { code: 1, status: 'A\nB' } }),
      want: { code: 'upstream_denied', log: { upstream: { requestId: undefined, reason: 'other' } } },
    },
    { name: '200 with HTML', status: 200, body: '<html>', want: unusable },
    { name: '200 with an error inside', status: 200, body: failure(403, 'HTTP_FORBIDDEN'), want: unusable },
    {
      name: '200 with result.result',
      status: 200,
      body: json({ requestId: 'r', result: { result: CREDENTIALS } }),
      want: unusable,
    },
    { name: '200 without an expiration', status: 200, body: credentials({ expiration: undefined }), want: unusable },
    { name: '200 with a number as expiration', status: 200, body: credentials({ expiration: 1 }), want: unusable },
    {
      name: '200 that has expired',
      status: 200,
      body: credentials({ expiration: '2025-12-31 20:00:00' }),
      want: unusable,
    },
    { name: '200 with an empty key', status: 200, body: credentials({ accessKey: '' }), want: unusable },
    { name: '200 with a key on two lines', status: 200, body: credentials({ secretKey: 'a\r\nb' }), want: unusable },
    { name: '200 with a list as token', status: 200, body: credentials({ sessionToken: ['x'] }), want: unusable },
    { name: '200 of 65 KiB', status: 200, body: `${' '.repeat(65 * 1024)}${json(SUCCESS)}`, want: unusable },
  ]
  for (const { name, status, headers = {}, body, want } of rows) {
    t.test(name, async (t) => {
      const endpoint = await listen(t, (_request, response) => response.writeHead(status, headers).end(body))
      const got = await ask(t, endpoint)
      t.match(got, want)
      t.notMatch(JSON.stringify(got), /SENTINEL/u)
    })
  }
})

/** How long STS has where it never answers: real time, since undici measures it. */
const PATIENCE_MS = 200

t.test('a call that brings no answer', async (t) => {
  const rows = [
    { name: 'nobody listens', handler: undefined, want: 'upstream_unavailable' },
    {
      name: 'reset',
      handler: (_: unknown, response: { destroy(): void }) => void response.destroy(),
      want: 'upstream_unavailable',
    },
    { name: 'silence', handler: () => {}, want: 'upstream_timeout' },
  ]
  for (const { name, handler, want } of rows) {
    t.test(name, async (t) =>
      t.match(await ask(t, handler ? await listen(t, handler) : 'http://127.0.0.1:1', {}, PATIENCE_MS), { code: want }),
    )
  }
  t.test('a body that stops half-way', async (t) => {
    const endpoint = await listen(
      t,
      (_request, response) => void response.writeHead(200, { 'content-length': 900 }).write('{'),
    )
    t.match(await ask(t, endpoint, {}, PATIENCE_MS), { code: 'upstream_timeout' })
  })
  t.test('a body without an end', async (t) => {
    const endpoint = await listen(t, (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    })
    t.match(await ask(t, endpoint), {
      code: 'upstream_unavailable',
      log: { upstream: { reason: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' } },
    })
  })
})
