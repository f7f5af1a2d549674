import { createHash } from 'node:crypto'
import t from 'tap'
import { signatureOf } from '../../../sandbox/sts/signature.ts'
import { SANDBOX_KEYS } from '../../../sandbox/world.ts'
import { signingDate } from '../../../src/lib/signature-v4.ts'
import { NOW, PATH, ROLE_JRN, type Sts, startSts } from './harness.ts'

const BODY = JSON.stringify({
  assumeRoleInfo: { roleJrn: ROLE_JRN, roleSessionName: 'upload@alice', policy: null, durationSeconds: null },
})
const bodyHash = createHash('sha256').update(BODY).digest('hex')

type Headers = Readonly<Record<string, string>>
type Signing = Readonly<{ signed?: Headers; host?: string; date?: string; nonce?: string; scope?: string }>

/** The headers of a request that is signed as the current Python SDK signs it: date and nonce are sent, not signed. */
function sign({ host }: Sts, { signed, date = signingDate(NOW), nonce = 'once', scope = 'jdcloud3_request' }: Signing) {
  const { accessKey, secretKey } = SANDBOX_KEYS.testIam
  const values: Headers = signed ?? { 'content-type': 'application/json', host }
  const headers = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = { method: 'POST', path: PATH, headers, body: BODY, date, region: 'jdcloud-api', service: 'sts' }
  const signature = signatureOf({ version: 3, ...parts }, secretKey)
  const credential = `${accessKey}/${date.slice(0, 8)}/jdcloud-api/sts/${scope}`
  const names = headers.map(([name]) => name).join(';')
  return {
    host,
    ...values,
    'x-jdcloud-date': date,
    'x-jdcloud-nonce': nonce,
    'x-jdcloud-content-sha256': bodyHash,
    'jdcloud3-hmac-sha256': 'JDCLOUD3-HMAC-SHA256',
    authorization: `JDCLOUD3-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

type Row = Readonly<{
  name: string
  signing?: Signing
  tamper?: (headers: Headers) => Record<string, string | string[]>
  body?: string
  wirePath?: string
  want?: string
}>

const without = (name: string) => (headers: Headers) =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
const change = (changes: Record<string, string>) => (headers: Headers) => ({ ...headers, ...changes })
const authorization = (from: string, to: string) => (headers: Headers) => ({
  ...headers,
  authorization: headers.authorization?.replace(from, to) ?? '',
})

const incomplete = 'APIGW_LACK_PARAMS'
const illegal = 'APIGW_ILLEGAL_HEADER'
const mismatch = 'APIGW_SIGN_RESULT_NOT_SAME'
const stale = 'UNAUTHENTICATED'
const minutes = (count: number) => signingDate(NOW + count * 60_000)

const rows: readonly Row[] = [
  { name: 'content-type and host signed' },
  { name: 'a colon on the wire', wirePath: '/v1/sessionToken:assumeRole' },
  { name: 'no hash of the body', tamper: without('x-jdcloud-content-sha256') },
  { name: 'a date 15 minutes ago', signing: { date: minutes(-15) } },
  { name: 'a nonce that was replaced, for it is not signed', tamper: change({ 'x-jdcloud-nonce': 'other' }) },
  { name: 'the host not signed', signing: { signed: { 'content-type': 'application/json' } }, want: incomplete },
  { name: 'no date', tamper: without('x-jdcloud-date'), want: incomplete },
  { name: 'no nonce', tamper: without('x-jdcloud-nonce'), want: incomplete },
  { name: 'an empty nonce', tamper: change({ 'x-jdcloud-nonce': '' }), want: incomplete },
  { name: 'the scope of JDCLOUD2', signing: { scope: 'jdcloud2_request' }, want: incomplete },
  { name: 'the name of JDCLOUD2', tamper: authorization('JDCLOUD3-HMAC', 'JDCLOUD2-HMAC'), want: incomplete },
  { name: 'JDCLOUD4', tamper: authorization('JDCLOUD3-HMAC', 'JDCLOUD4-HMAC'), want: incomplete },
  {
    name: 'both names of JDCLOUD2',
    tamper: (headers) => ({ ...headers, authorization: headers.authorization?.replace(/(jdcloud)3/giu, '$12') ?? '' }),
    want: incomplete,
  },
  { name: 'the host named as signed later', tamper: authorization(';host', ';host;x-note'), want: incomplete },
  { name: 'another host', tamper: change({ host: 'sts.jdcloud-api.com' }), want: mismatch },
  { name: 'another date of the same day', tamper: change({ 'x-jdcloud-date': minutes(1) }), want: mismatch },
  { name: 'another day in the scope', tamper: authorization('/20260102/', '/20260101/'), want: stale },
  { name: 'a date 16 minutes ago', signing: { date: minutes(-16) }, want: stale },
  { name: 'another body', body: BODY.replace('alice', 'bobby'), want: mismatch },
  { name: 'another hash', tamper: change({ 'x-jdcloud-content-sha256': '0'.repeat(64) }), want: mismatch },
  {
    name: 'another body with its own hash',
    body: `${BODY} `,
    tamper: change({ 'x-jdcloud-content-sha256': createHash('sha256').update(`${BODY} `).digest('hex') }),
    want: mismatch,
  },
  { name: 'an empty hash', tamper: change({ 'x-jdcloud-content-sha256': '' }), want: mismatch },
  {
    name: 'two hashes',
    tamper: (headers) => ({ ...headers, 'x-jdcloud-content-sha256': [bodyHash, bodyHash] }),
    want: illegal,
  },
  {
    name: 'two nonces',
    tamper: (headers) => ({ ...headers, 'x-jdcloud-nonce': ['a', 'b'] }),
    want: illegal,
  },
  {
    name: 'a session token beside long-lived keys',
    tamper: change({ 'x-jdcloud-security-token': 'token' }),
    want: 'APIGW_ROLE_NOT_ALLOWED',
  },
]

for (const {
  name,
  signing = {},
  tamper = (headers: Headers) => ({ ...headers }),
  body = BODY,
  wirePath = PATH,
  want,
} of rows) {
  t.test(name, async (t) => {
    const sts = await startSts(t)
    const { error } = await sts.send({ headers: tamper(sign(sts, signing)), body, path: wirePath })
    t.equal(error?.status, want)
  })
}

t.test('runs of blanks in a signed value stay as they are', async (t) => {
  const sts = await startSts(t)
  const signed = { host: sts.host, 'x-jdcloud-note': 'a  b' }
  t.equal((await sts.send({ headers: sign(sts, { signed }), body: BODY })).status, 200)
  const folded = { ...sign(sts, { signed, nonce: 'again' }), 'x-jdcloud-note': 'a b' }
  t.equal((await sts.send({ headers: folded, body: BODY })).error?.status, mismatch)
})

t.test('a nonce is good for one request, whichever version signs it', async (t) => {
  const sts = await startSts(t)
  t.equal((await sts.call({ nonce: 'once' })).status, 200)
  t.equal((await sts.send({ headers: sign(sts, { nonce: 'once' }), body: BODY })).error?.status, 'APIGW_NONCE_CONFLICT')
  t.equal((await sts.send({ headers: sign(sts, { nonce: 'twice' }), body: BODY })).status, 200)
  t.equal(
    (await sts.send({ headers: sign(sts, { nonce: 'twice' }), body: BODY })).error?.status,
    'APIGW_NONCE_CONFLICT',
  )
})
