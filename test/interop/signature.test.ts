import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'
import { signJdcloud2 } from '../../src/lib/signature-v4.ts'
import { type Captured, capture } from './capture.ts'
import { officialSts } from './sdk.ts'

const roleJrn = 'jrn:iam::111111111111:role/test-role'

/** Our Authorization for a request of the SDK's: the same date, nonce, body and set of signed headers. */
function ours({ method, path, headers, body }: Captured): string | undefined {
  const { host = '', 'x-jdcloud-date': date = '', 'x-jdcloud-nonce': nonce = '' } = headers
  const names = /SignedHeaders=([^,]+)/u.exec(headers.authorization ?? '')?.[1]?.split(';') ?? []
  const signed = names.map((name) => [name, headers[name] ?? ''])
  return signJdcloud2(
    {
      method,
      host,
      path,
      headers: Object.fromEntries(signed),
      body,
      service: 'sts',
      region: 'jdcloud',
      date,
      nonce,
    },
    SANDBOX_KEYS.testIam,
  ).authorization
}

/** Texts that come out the same on every run, drawn from what may trip a hash, a JSON writer or a canonical form. */
function drawnText(seed: number): string {
  const alphabet = [
    ...'aZ09 _-.~%+&=?/:;,@"\'\\{}[]<>*$\n\t\0\u007f',
    '\u00e9',
    'e\u0301',
    'ß',
    '桶',
    '한',
    'ع',
    '🗂',
    '\ud800',
    '\u2028',
  ]
  const bytes = createHash('sha512').update(String(seed)).digest()
  return [...bytes.subarray(0, 1 + (seed % 48))].map((byte) => alphabet[byte % alphabet.length]).join('')
}

const fixed = [
  '',
  'plain ascii',
  '{"Version":"3","Statement":[{"Effect":"Allow","Action":["oss:PutObject"],"Resource":["jrn:oss:*:1:b/用户/*"]}]}',
  'x'.repeat(2048),
  '中文'.repeat(300),
  '\r\n',
  '%2F%252F',
]
const texts = [...fixed, ...Array.from({ length: 93 }, (_, seed) => drawnText(seed))]

test('our Authorization header is the SDK’s, byte for byte, for a hundred bodies', async (t) => {
  const { url, requests } = await capture(t)
  const sts = officialSts(url)
  for (const [index, policy] of texts.entries()) {
    const roleSessionName = index % 3 === 0 ? `upload@${policy}` : 'upload@alice'
    await sts.assumeRole({ assumeRoleInfo: { roleJrn, roleSessionName, policy, durationSeconds: 3600 + index } })
    const sent = requests.at(-1)
    assert.ok(sent)
    assert.equal(sent.path, '/v1/sessionToken%3AassumeRole')
    assert.match(
      sent.headers.authorization ?? '',
      /SignedHeaders=accept;content-type;host;x-jdcloud-date;x-jdcloud-nonce,/u,
    )
    assert.equal(ours(sent), sent.headers.authorization, `body ${index}: ${JSON.stringify(policy)}`)
  }
  assert.equal(requests.length, 100)
  assert.equal(new Set(requests.map(({ headers }) => headers['x-jdcloud-nonce'])).size, 100)
})

test('the same for other sets of signed headers', async (t) => {
  const rows = [
    { name: 'a header of JD Cloud’s own', headers: { 'x-jdcloud-note': 'a' } },
    { name: 'runs of blanks in a value', headers: { 'x-jdcloud-note': 'a   b\tc' } },
    { name: 'a header that sorts first', headers: { 'a-note': '1' } },
    { name: 'a header that sorts behind the nonce', headers: { 'x-zzz': '1' } },
    { name: 'headers that aws4 leaves out by itself', headers: { range: 'bytes=0-1', 'x-amzn-trace-id': 'Root=1' } },
    { name: 'a content type with a charset', headers: { 'content-type': 'application/json; charset=utf-8' } },
    { name: 'a user agent, which is not signed', headers: { 'User-Agent': 'somebody/1.0' } },
  ]
  for (const { name, headers } of rows) {
    await t.test(name, async (t) => {
      const { url, requests } = await capture(t)
      const assumeRoleInfo = { roleJrn, roleSessionName: 'upload@alice' }
      await officialSts(url).assumeRole({ assumeRoleInfo, 'x-extra-header': headers })
      const [sent] = requests
      assert.ok(sent)
      assert.equal(ours(sent), sent.headers.authorization)
    })
  }
})

test('a comparison that can fail: one byte of the body, and the headers differ', async (t) => {
  const { url, requests } = await capture(t)
  await officialSts(url).assumeRole({ assumeRoleInfo: { roleJrn, roleSessionName: 'upload@alice' } })
  const [sent] = requests
  assert.ok(sent)
  const body = Buffer.from(sent.body)
  body[0] = 0x20
  assert.notEqual(ours({ ...sent, body }), sent.headers.authorization)
})
