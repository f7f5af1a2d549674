import { createHash } from 'node:crypto'
import t from 'tap'
import { SANDBOX_KEYS } from '../../../sandbox/world.ts'
import { signingDate } from '../../../src/lib/signature-v4.ts'
import { type Call, NOW, type RefusedRow, refuses, startSts, type Tamper } from './harness.ts'

const MINUTE = 60_000
const without = (name: string): Tamper => {
  return (headers) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
}
const authorization = (edit: (text: string) => string): Tamper => {
  return (headers) => ({ ...headers, authorization: edit(headers.authorization ?? '') })
}
const twice = (name: string): Tamper => {
  return (headers) => ({ ...headers, [name]: [headers[name] ?? '', headers[name] ?? ''] })
}

t.test('good signatures', async (t) => {
  const rows: { name: string; input: Call }[] = [
    { name: 'region jdcloud, as the Node SDK sends', input: { region: 'jdcloud' } },
    { name: 'region jdcloud-api, as the Java and Go SDKs send', input: { region: 'jdcloud-api' } },
    { name: 'a region that no SDK sends', input: { region: 'cn-north-1' } },
    { name: 'host, date and nonce signed alone', input: { headers: {} } },
    { name: 'a content-type that is sent and not signed', input: unsignedContentType() },
    { name: 'every header signed that the Node SDK signs', input: { headers: sdkHeaders({}) } },
    { name: 'headers signed that aws4 would leave out', input: { headers: sdkHeaders({ connection: 'close' }) } },
    { name: 'a range signed', input: { headers: { range: 'bytes=0-1', 'x-amzn-trace-id': 'Root=1' } } },
    { name: 'runs of blanks in a signed value', input: { headers: { 'x-jdcloud-note': '  a   b ' } } },
    { name: 'a signed header without a value', input: { headers: { 'x-jdcloud-note': '' } } },
    { name: 'a user agent, never signed', input: { headers: { 'user-agent': 'JdcloudSdkNode/1.0.0' } } },
    { name: 'no blanks between the parts', input: { tamper: authorization((text) => text.replaceAll(', ', ',')) } },
    { name: 'a colon on the wire, encoded in the signature', input: { wirePath: '/v1/sessionToken:assumeRole' } },
    { name: 'a colon encoded in lower case', input: { wirePath: '/v1/sessionToken%3aassumeRole' } },
    { name: 'a date 15 minutes ago', input: { date: signingDate(NOW - 15 * MINUTE) } },
    { name: 'a date in 15 minutes', input: { date: signingDate(NOW + 15 * MINUTE) } },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      const sts = await startSts(t)
      const { status, error } = await sts.call(input)
      t.strictSame([status, error], [200, undefined])
    })
  }
})

t.test('bad signatures', async (t) => {
  const incomplete = [401, 'APIGW_LACK_PARAMS'] as const
  const illegal = [401, 'APIGW_ILLEGAL_HEADER'] as const
  const mismatch = [401, 'APIGW_SIGN_RESULT_NOT_SAME'] as const
  const stale = [401, 'UNAUTHENTICATED'] as const
  const { accessKey } = SANDBOX_KEYS.testIam
  const rows: RefusedRow[] = [
    { name: 'no authorization', input: { tamper: without('authorization') }, want: incomplete },
    { name: 'no date', input: { tamper: without('x-jdcloud-date') }, want: incomplete },
    { name: 'no nonce', input: { tamper: without('x-jdcloud-nonce') }, want: incomplete },
    { name: 'a signed header that is not sent', input: { tamper: without('content-type') }, want: incomplete },
    { name: 'a name that every object has', input: swap('content-type', 'constructor;content-type'), want: incomplete },
    { name: "Amazon's algorithm", input: swap('JDCLOUD2-HMAC-SHA256', 'AWS4-HMAC-SHA256'), want: incomplete },
    { name: "Amazon's terminator", input: swap('jdcloud2_request', 'aws4_request'), want: incomplete },
    { name: 'a signature of 63 digits', input: authorize((text) => text.slice(0, -1)), want: incomplete },
    { name: 'host not signed', input: swap('content-type;host;', 'content-type;'), want: incomplete },
    { name: 'date not signed', input: swap('x-jdcloud-date;', ''), want: incomplete },
    { name: 'nonce not signed', input: swap(';x-jdcloud-nonce', ''), want: incomplete },
    { name: 'signed headers out of order', input: swap('content-type;host', 'host;content-type'), want: incomplete },
    { name: 'a signed header named twice', input: swap(';host', ';host;host'), want: incomplete },
    { name: 'signed headers in capitals', input: swap('content-type', 'Content-Type'), want: incomplete },
    { name: 'an invalid date', input: { date: '20260231T000000Z' }, want: incomplete },
    { name: 'a date in another format', input: { date: '2026-01-02T20:30:00Z' }, want: incomplete },
    { name: 'an empty nonce', input: { nonce: '' }, want: incomplete },
    { name: 'a nonce of 129 characters', input: { nonce: 'n'.repeat(129) }, want: incomplete },
    { name: 'the user agent named as signed', input: swap('host', 'host;user-agent'), want: illegal },
    { name: "a hash of another body, signed Amazon's way", input: foreignBodyHash(), want: mismatch },
    { name: 'authorization twice', input: { tamper: twice('authorization') }, want: illegal },
    { name: 'date twice', input: { tamper: twice('x-jdcloud-date') }, want: illegal },
    { name: 'nonce twice', input: { tamper: twice('x-jdcloud-nonce') }, want: illegal },
    { name: 'a signed header twice', input: { tamper: twice('x-note'), headers: { 'x-note': 'a' } }, want: illegal },
    { name: 'a date too old by a second', input: { date: signingDate(NOW - 15 * MINUTE - 1000) }, want: stale },
    { name: 'a date too early by a second', input: { date: signingDate(NOW + 15 * MINUTE + 1000) }, want: stale },
    { name: 'the scope of another day', input: swap('/20260102/', '/20260101/'), want: stale },
    { name: 'the scope of another service', input: { service: 'oss' }, want: stale },
    { name: 'an unknown access key', input: swap(accessKey, 'JDC_NOBODY'), want: [401, 'APIGW_KEY_NOT_EXITST'] },
    { name: 'another secret', input: { keys: { accessKey, secretKey: 'wrong' } }, want: mismatch },
    { name: "the owner's access key", input: swap(accessKey, SANDBOX_KEYS.owner.accessKey), want: mismatch },
    { name: 'another region in the scope', input: swap('jdcloud-api', 'jdcloud'), want: mismatch },
    { name: 'another signature', input: authorize((text) => text.replace(/.{64}$/u, '0'.repeat(64))), want: mismatch },
    { name: 'another nonce', input: overwrite({ 'x-jdcloud-nonce': 'other' }), want: mismatch },
    { name: 'another date', input: overwrite({ 'x-jdcloud-date': '20260102T203001Z' }), want: mismatch },
    { name: 'another host', input: overwrite({ host: 'sts.jdcloud-api.com' }), want: mismatch },
    { name: 'another signed header', input: overwrite({ 'content-type': 'text/plain' }), want: mismatch },
    {
      name: 'another value of a header that aws4 would leave out',
      input: { headers: { range: 'bytes=0-1' }, ...overwrite({ range: 'bytes=0-2' }) },
      want: mismatch,
    },
  ]
  refuses(t, rows)
})

t.test('a body that changed after it was signed', async (t) => {
  const sts = await startSts(t)
  let stolen: Readonly<Record<string, string>> = {}
  await sts.call({
    tamper: (signed) => {
      stolen = signed
      return signed
    },
  })
  const { error } = await sts.call({ info: { roleSessionName: 'upload@mallory' }, tamper: () => stolen })
  t.equal(error?.status, 'APIGW_SIGN_RESULT_NOT_SAME')
})

t.test('a nonce is good for one request', async (t) => {
  const sts = await startSts(t)
  t.equal((await sts.call({ nonce: 'once' })).status, 200)
  t.strictSame(await statusOf(sts.call({ nonce: 'once' })), 'APIGW_NONCE_CONFLICT')
  sts.time.now += 15 * MINUTE
  t.strictSame(await statusOf(sts.call({ nonce: 'once' })), 'APIGW_NONCE_CONFLICT', 'until its window has passed')
  sts.time.now += 1
  t.equal((await sts.call({ nonce: 'once' })).status, 200, 'after that, its date is refused')
})

t.test('a request with a bad signature uses up no nonce', async (t) => {
  const sts = await startSts(t)
  const forged = { keys: { accessKey: SANDBOX_KEYS.testIam.accessKey, secretKey: 'wrong' }, nonce: 'mine' }
  t.equal(await statusOf(sts.call(forged)), 'APIGW_SIGN_RESULT_NOT_SAME')
  t.equal((await sts.call({ nonce: 'mine' })).status, 200)
})

t.test('one user’s nonce is not another’s', async (t) => {
  const sts = await startSts(t)
  t.equal((await sts.call({ nonce: 'shared' })).status, 200)
  t.equal(await statusOf(sts.call({ nonce: 'shared', keys: SANDBOX_KEYS.owner })), 'HTTP_FORBIDDEN')
})

t.test('temporary credentials cannot assume a role', async (t) => {
  const sts = await startSts(t)
  const { result } = await sts.call()
  if (!result) throw new Error('no credentials')
  const { accessKey, secretKey, sessionToken } = result.credentials
  t.equal(await statusOf(sts.call({ keys: { accessKey, secretKey, sessionToken } })), 'APIGW_ROLE_NOT_ALLOWED')
  t.equal(await statusOf(sts.call({ keys: { accessKey, secretKey } })), 'APIGW_ROLE_NOT_ALLOWED')
  const mixed = { ...SANDBOX_KEYS.testIam, sessionToken }
  t.equal(await statusOf(sts.call({ keys: mixed })), 'APIGW_ROLE_NOT_ALLOWED', 'a token beside long-lived keys')
})

async function statusOf(answer: Promise<{ error?: { status: string } | undefined }>): Promise<string | undefined> {
  return (await answer).error?.status
}

function authorize(edit: (text: string) => string): Call {
  return { tamper: authorization(edit) }
}

function swap(from: string, to: string): Call {
  return authorize((text) => text.replace(from, to))
}

function overwrite(headers: Record<string, string>): Call {
  return { tamper: (signed) => ({ ...signed, ...headers }) }
}

function unsignedContentType(): Call {
  return { headers: {}, tamper: (headers) => ({ ...headers, 'content-type': 'application/json' }) }
}

function sdkHeaders(more: Record<string, string>): Record<string, string> {
  return { accept: 'application/json', 'content-type': 'application/json', ...more }
}

/** aws4 uses the value of this header as the hash of the body, so its signature would fit any body. */
function foreignBodyHash(): Call {
  return { headers: { 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') } }
}
