import t from 'tap'
import { MockAgent } from 'undici'
import { signAws } from '../../src/lib/signature-v4.ts'
import { listen } from '../helpers/listen.ts'
import { ask, CREDENTIALS, success } from './aws-harness.ts'
import { GRANT, KEYS, NOW } from './harness.ts'

const { AccessKeyId: accessKey, SecretAccessKey: secretKey, SessionToken: sessionToken } = CREDENTIALS
const HOUR_MS = 3_600_000

t.test('asks by the Query API, signed, in the translated language, and reads the answer', async (t) => {
  const agent = new MockAgent()
  agent.disableNetConnect()
  const pool = { dispatcher: agent, close: () => agent.close() }
  let seen = { body: '', headers: {} as Record<string, string> }
  agent
    .get('https://sts.eu-west-1.amazonaws.com')
    .intercept({ method: 'POST', path: '/' })
    .reply(200, ({ body, headers }) => {
      seen = { body: String(body), headers: headers as Record<string, string> }
      return success()
    })
  const translate = (policy: string) => `translated: ${policy}`
  t.strictSame(await ask(t, 'https://sts.eu-west-1.amazonaws.com', { pool, translate }), {
    accessKey,
    secretKey,
    sessionToken,
    expiresAt: NOW + HOUR_MS,
  })
  t.strictSame(Object.fromEntries(new URLSearchParams(seen.body)), {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::111111111111:role/test-role',
    RoleSessionName: GRANT.roleSessionName,
    Policy: `translated: ${GRANT.policy}`,
    DurationSeconds: '3600',
  })
  const request = {
    method: 'POST',
    host: 'sts.eu-west-1.amazonaws.com',
    path: '/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: seen.body,
    service: 'sts',
    region: 'us-east-1',
    date: '20260101T000000Z',
  }
  t.strictSame(seen.headers, signAws(request, KEYS))
})

t.test('a policy that has no translation is never sent', async (t) => {
  let asked = 0
  const endpoint = await listen(t, (_request, response) => {
    asked++
    response.end(success())
  })
  const translate = () => {
    throw new Error('no translation')
  }
  await t.rejects(ask(t, endpoint, { translate }), { message: 'no translation' })
  t.equal(asked, 0)
})

const error = (code: string, id = '01234567-89ab-4cde-8f01-23456789abcd') =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>SENTINEL in a message</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`
const cephError = (code: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message></Message><RequestId>tx00000bcb1a7e3f44702a5-006b0a5674-100c-default</RequestId><HostId>100c-default-default</HostId></Error>`

t.test('each refusal has one meaning', async (t) => {
  const upstream = (status: number, reason: string | undefined, requestId?: string) => ({
    upstream: { status, reason, requestId },
  })
  const UUID = '01234567-89ab-4cde-8f01-23456789abcd'
  const TX = 'tx00000bcb1a7e3f44702a5-006b0a5674-100c-default'
  const denied = (log: unknown) => ({ code: 'upstream_denied', log, retryAfter: undefined })
  const passing = (log: unknown, retryAfter?: number) => ({ code: 'upstream_unavailable', log, retryAfter })
  const rows = [
    {
      name: 'AWS: denied',
      status: 403,
      body: error('AccessDenied'),
      want: denied(upstream(403, 'AccessDenied', UUID)),
    },
    {
      name: 'AWS: unknown key',
      status: 403,
      body: error('InvalidClientTokenId'),
      want: denied(upstream(403, 'InvalidClientTokenId', UUID)),
    },
    {
      name: 'MinIO: wrong secret',
      status: 403,
      body: error('SignatureDoesNotMatch', '1742A5C9E6B7A7B4'),
      want: denied(upstream(403, 'SignatureDoesNotMatch', '1742A5C9E6B7A7B4')),
    },
    {
      name: 'Ceph: denied',
      status: 403,
      body: cephError('AccessDenied'),
      want: denied(upstream(403, 'AccessDenied', TX)),
    },
    {
      name: 'Ceph: no role',
      status: 404,
      body: cephError('NoSuchEntity'),
      want: denied(upstream(404, 'NoSuchEntity', TX)),
    },
    {
      name: 'a bad policy',
      status: 400,
      body: cephError('MalformedPolicyDocument'),
      want: denied(upstream(400, 'MalformedPolicyDocument', TX)),
    },
    {
      name: 'a policy that STS cannot pack',
      status: 400,
      body: error('PackedPolicyTooLarge'),
      want: { code: 'policy_too_large', log: upstream(400, 'PackedPolicyTooLarge', UUID), retryAfter: undefined },
    },
    {
      name: 'throttled with 400',
      status: 400,
      body: error('Throttling'),
      headers: { 'retry-after': '7' },
      want: passing(upstream(400, 'Throttling', UUID), 7),
    },
    { name: 'throttled with 429', status: 429, body: '', want: passing(upstream(429, undefined)) },
    { name: 'slow down', status: 503, body: cephError('SlowDown'), want: passing(upstream(503, 'SlowDown', TX)) },
    {
      name: 'a fault of STS',
      status: 500,
      body: error('InternalFailure'),
      want: passing(upstream(500, 'InternalFailure', UUID)),
    },
    {
      name: 'a code that nobody knows',
      status: 400,
      body: error('SENTINEL'),
      want: denied(upstream(400, 'other', UUID)),
    },
    {
      name: 'a request id of a strange form',
      status: 403,
      body: error('AccessDenied', 'SENTINEL-1'),
      want: denied(upstream(403, 'AccessDenied')),
    },
    {
      name: 'HTML',
      status: 403,
      body: '<html><body>SENTINEL<br></body></html>',
      want: denied(upstream(403, undefined)),
    },
    { name: 'JSON', status: 403, body: '{"Error":{"Code":"AccessDenied"}}', want: denied(upstream(403, undefined)) },
    {
      name: 'two codes',
      status: 403,
      body: error('AccessDenied</Code><Code>Throttling'),
      want: denied(upstream(403, undefined, UUID)),
    },
    { name: 'nothing', status: 403, body: '', want: denied(upstream(403, undefined)) },
    { name: 'a gateway', status: 502, body: '<html>', want: passing(upstream(502, undefined)) },
    {
      name: 'a redirect, which is not followed',
      status: 307,
      body: '',
      headers: { location: 'http://127.0.0.1:1/' },
      want: passing(upstream(307, undefined)),
    },
    { name: 'no content', status: 204, body: '', want: passing(upstream(204, undefined)) },
  ]
  for (const { name, status, body, headers = {}, want } of rows) {
    t.test(name, async (t) => {
      const endpoint = await listen(t, (_request, response) => response.writeHead(status, headers).end(body))
      const answer = await ask(t, endpoint)
      t.strictSame(answer, want)
      t.notMatch(JSON.stringify(answer), /SENTINEL/u)
    })
  }
})

t.test('an answer that is not the documented one is not used', async (t) => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "SENTINEL"><!ENTITY b "${'&a;'.repeat(1000)}"><!ENTITY c "${'&b;'.repeat(1000)}">]>`
  const file = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
  const nested = `${'<a>'.repeat(9000)}${'</a>'.repeat(9000)}`
  const rows: [name: string, body: string][] = [
    ['HTML', '<html><body>fine</body></html>'],
    ['JSON', JSON.stringify({ AssumeRoleResponse: { AssumeRoleResult: { Credentials: CREDENTIALS } } })],
    ['nothing', ''],
    ['an error inside', error('AccessDenied')],
    ['cut off', success().slice(0, -40)],
    ['a tag that is not closed', success().replace('</Credentials>', '')],
    ['another action', success().replaceAll('AssumeRole', 'GetSessionToken')],
    ['two results', success({}, '<Credentials><AccessKeyId>x</AccessKeyId></Credentials>')],
    ['two secrets', success({ SecretAccessKey: 'a</SecretAccessKey><SecretAccessKey>b' })],
    ['no token', success({ SessionToken: undefined })],
    ['an empty key', success({ AccessKeyId: '' })],
    ['a key with elements', success({ AccessKeyId: '<b>x</b>' })],
    ['a key with a line break', success({ SecretAccessKey: 'a\nb' })],
    ['a key beyond ASCII', success({ SecretAccessKey: 'aéb' })],
    ['a key of 9 KiB', success({ SecretAccessKey: 'x'.repeat(9000) })],
    ['a known entity in a key', success({ SecretAccessKey: 'a&amp;b' })],
    ['a quote as entity', success({ SecretAccessKey: 'a&quot;b' })],
    ['a number as entity', success({ SecretAccessKey: 'a&#66;c' })],
    ['CDATA', success({ SecretAccessKey: '<![CDATA[SENTINEL]]>' })],
    ['a comment', success({ SecretAccessKey: 'a<!-- -->b' })],
    ['an entity of its own', `<!DOCTYPE x [<!ENTITY a "b">]>${success({ SecretAccessKey: '&a;' })}`],
    ['a bomb of entities', `${bomb}${success({ SecretAccessKey: '&c;' })}`],
    ['a file as entity', `${file}${success({ SecretAccessKey: '&f;' })}`],
    ['nested 9,000 deep', nested],
    ['nested deep beside the credentials', success({}, nested.slice(0, 30_000).replace(/<[^>]*$/u, ''))],
    ['a prototype', success().replaceAll('Credentials>', '__proto__>')],
    ['a constructor', success().replaceAll('Credentials>', 'constructor>')],
    ['65 KiB', success({}, ' '.repeat(65 * 1024))],
  ]
  for (const [name, body] of rows) {
    t.test(name, async (t) => {
      const endpoint = await listen(t, (_request, response) => response.end(body))
      const answer = await ask(t, endpoint)
      t.match(answer, { code: 'upstream_unavailable', retryAfter: undefined })
      t.notMatch(JSON.stringify(answer), /SENTINEL|root:/u)
    })
  }
  t.equal(Reflect.get(Object.prototype, 'AccessKeyId'), undefined)
})

t.test('the type that an answer claims does not matter, nor do declaration and white space', async (t) => {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${success().replaceAll('><', '>\n  <')}\n`
  for (const type of ['text/xml', 'application/xml; charset=utf-8', 'text/html']) {
    const endpoint = await listen(t, (_request, response) =>
      response.writeHead(200, { 'content-type': type }).end(body),
    )
    t.match(await ask(t, endpoint), { accessKey, secretKey, sessionToken })
  }
})

/** How long STS has where it never answers: real time, since undici measures it. */
const PATIENCE_MS = 200

t.test('a call that brings no answer', async (t) => {
  t.match(await ask(t, 'http://127.0.0.1:1'), { code: 'upstream_unavailable' }, 'nobody listens')
  const silent = await listen(t, () => {})
  t.match(await ask(t, silent, {}, PATIENCE_MS), { code: 'upstream_timeout' }, 'silence')
  const reset = await listen(t, (_request, response) => void response.destroy())
  t.match(await ask(t, reset), { code: 'upstream_unavailable' }, 'reset')
})
