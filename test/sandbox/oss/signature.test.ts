import t from 'tap'
import { BUCKET, type Call, startOss, type Wire } from './harness.ts'

const MINUTE = 60_000
const flip = (text: string) => text.replace(/[0-9a-f]$/u, (c) => (c === '0' ? '1' : '0'))
const authorization = (change: (value: string) => string) => (wire: Wire) => ({
  ...wire,
  headers: { ...wire.headers, authorization: change(wire.headers.authorization ?? '') },
})
const header = (name: string, value: string) => (wire: Wire) => ({
  ...wire,
  headers: { ...wire.headers, [name]: value },
})

type Row = Readonly<{ name: string; input: (now: number) => Call; want: readonly [number, string] }>

t.test('a request that differs from the signed one is refused, and nothing is stored', async (t) => {
  const oss = await startOss(t)
  const rows: readonly Row[] = [
    {
      name: 'no signature',
      input: () => ({ tamper: ({ headers: { authorization: _, ...headers }, ...wire }) => ({ ...wire, headers }) }),
      want: [403, 'AccessDenied'],
    },
    {
      name: 'a bit of the signature',
      input: () => ({ tamper: authorization(flip) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'half a signature',
      input: () => ({ tamper: authorization((value) => value.slice(0, -32)) }),
      want: [400, 'AuthorizationHeaderMalformed'],
    },
    {
      name: 'another method',
      input: () => ({ method: 'PUT', tamper: header('x-amz-copy-source', `/${BUCKET}/secret`) }),
      want: [403, 'AccessDenied'],
    },
    {
      name: 'another path',
      input: () => ({ tamper: (wire) => ({ ...wire, path: `/${BUCKET}/other` }) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'another query',
      input: () => ({ tamper: (wire) => ({ ...wire, query: 'uploads=' }) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'a parameter twice',
      input: () => ({ query: { a: '1' }, tamper: (wire) => ({ ...wire, query: `${wire.query}&a=2` }) }),
      want: [400, 'InvalidURI'],
    },
    {
      name: 'the second of two values, signed first',
      input: () => ({ query: { a: '1' }, tamper: (wire) => ({ ...wire, query: `a=2&${wire.query}` }) }),
      want: [400, 'InvalidURI'],
    },
    {
      name: 'a thousand more parameters',
      input: () => ({
        tamper: (wire) => ({ ...wire, query: Array.from({ length: 1001 }, (_, i) => `p${i}=`).join('&') }),
      }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'another host',
      input: () => ({ tamper: header('host', `${BUCKET}.example`) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'another range',
      input: () => ({ headers: { range: 'bytes=0-0' }, tamper: header('range', 'bytes=0-9') }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'another value of a signed header',
      input: () => ({ headers: { 'x-amz-meta-a': '1' }, tamper: header('x-amz-meta-a', '2') }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'an x-amz header that is not signed',
      input: () => ({ unsigned: { 'x-amz-meta-a': '1' } }),
      want: [403, 'AccessDenied'],
    },
    {
      name: 'a signed header that is missing',
      input: () => ({ signs: (names) => ['expect', ...names] }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'no host among the signed headers',
      input: () => ({ signs: (names) => names.filter((name) => name !== 'host') }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'no date among the signed headers',
      input: () => ({ signs: (names) => names.filter((name) => name !== 'x-amz-date') }),
      want: [403, 'AccessDenied'],
    },
    {
      name: 'no hash among the signed headers',
      input: () => ({ signs: (names) => names.filter((name) => name !== 'x-amz-content-sha256') }),
      want: [403, 'AccessDenied'],
    },
    {
      name: 'another body',
      input: () => ({ tamper: (wire) => ({ ...wire, body: 'evil' }) }),
      want: [400, 'XAmzContentSHA256Mismatch'],
    },
    {
      name: 'another hash',
      input: () => ({ tamper: header('x-amz-content-sha256', 'UNSIGNED-PAYLOAD') }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'no hash',
      input: () => ({
        tamper: ({ headers: { 'x-amz-content-sha256': _, ...headers }, ...wire }) => ({ ...wire, headers }),
      }),
      want: [400, 'InvalidRequest'],
    },
    { name: 'an empty hash', input: () => ({ payloadHash: '' }), want: [400, 'InvalidArgument'] },
    { name: 'another region', input: () => ({ region: 'us-east-1' }), want: [400, 'AuthorizationHeaderMalformed'] },
    { name: 'another service', input: () => ({ service: 'sts' }), want: [400, 'AuthorizationHeaderMalformed'] },
    {
      name: "another day's scope",
      input: () => ({ tamper: authorization((value) => value.replace(/\/\d{8}\//u, '/20200101/')) }),
      want: [400, 'AuthorizationHeaderMalformed'],
    },
    {
      name: 'an invalid date',
      input: () => ({
        tamper: (wire) =>
          header(
            'x-amz-date',
            '20260230T000000Z',
          )(authorization((value) => value.replace(/\/\d{8}\//u, '/20260230/'))(wire)),
      }),
      want: [400, 'AuthorizationHeaderMalformed'],
    },
    { name: 'one second too old', input: (now) => ({ at: now - 16 * MINUTE }), want: [403, 'RequestTimeTooSkewed'] },
    { name: 'one second too new', input: (now) => ({ at: now + 16 * MINUTE }), want: [403, 'RequestTimeTooSkewed'] },
    {
      name: 'too old and wrong: the answer shows only the wrong signature',
      input: (now) => ({ at: now - 16 * MINUTE, tamper: authorization(flip) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'an unknown access key',
      input: () => ({ keys: { accessKey: 'JDC_NOBODY', secretKey: 'x' } }),
      want: [403, 'InvalidAccessKeyId'],
    },
    {
      name: 'a name from Object.prototype as the key',
      input: () => ({ keys: { accessKey: '__proto__', secretKey: 'x' } }),
      want: [403, 'InvalidAccessKeyId'],
    },
    {
      name: 'signature version 2',
      input: () => ({ tamper: authorization(() => 'AWS key:c2ln') }),
      want: [400, 'InvalidRequest'],
    },
    {
      name: 'a header and a query',
      input: () => ({ query: { 'X-Amz-Signature': 'a' } }),
      want: [400, 'InvalidArgument'],
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const { status, code, text } = await oss.call({ method: 'PUT', body: 'good', ...input(oss.time.now) })
      t.strictSame([status, code], want)
      t.strictSame(oss.bucket.keys(), [])
      t.notMatch(text, /[0-9a-f]{64}/u, 'the answer does not contain the right signature')
    })
  }
})

t.test('correctly signed requests are accepted', async (t) => {
  const oss = await startOss(t)
  const rows: readonly { name: string; input: (now: number) => Call }[] = [
    { name: 'as usual', input: () => ({}) },
    { name: '14 minutes late', input: (now) => ({ at: now - 14 * MINUTE }) },
    { name: '14 minutes early', input: (now) => ({ at: now + 14 * MINUTE }) },
    {
      name: 'headers that most libraries leave out',
      input: () => ({ headers: { 'user-agent': 'a  b ', range: 'bytes=0-' } }),
    },
    { name: 'an empty header', input: () => ({ headers: { 'content-type': '' } }) },
    { name: 'an unsigned body', input: () => ({ payloadHash: 'UNSIGNED-PAYLOAD' }) },
    { name: "the SDKs' x-id, with a space and a plus", input: () => ({ query: { 'x-id': 'a b+c' } }) },
    {
      name: 'a space that is sent as a plus',
      input: () => ({ query: { 'x-id': 'a b' }, tamper: (wire) => ({ ...wire, query: 'x-id=a+b' }) }),
    },
    {
      name: 'an unsigned header that is not x-amz',
      input: () => ({ unsigned: { 'amz-sdk-invocation-id': '1', via: 'proxy' } }),
    },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      const { status, code } = await oss.call({ method: 'PUT', body: 'good', ...input(oss.time.now) })
      t.strictSame([status, code], [200, undefined])
    })
  }
})

t.test('the answer to a wrong region contains the right one, because clients try again with it', async (t) => {
  const oss = await startOss(t)
  for (const presign of [undefined, 60]) {
    const { status, text } = await oss.call({ region: 'us-east-1', ...(presign && { presign }) })
    t.equal(status, 400)
    t.match(text, '<Region>cn-north-1</Region>')
  }
  t.notMatch((await oss.call({ service: 'sts' })).text, '<Region>')
})
