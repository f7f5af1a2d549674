import t from 'tap'
import { type Signable, signatureOf } from '../../../sandbox/sts/signature.ts'

type Vector = Readonly<{ name: string; secretKey: string; input: Signable; want: string }>

const laterDate = '20260628T102030Z'
const laterHeaders = (host: string) =>
  [
    ['content-type', 'application/json'],
    ['host', host],
    ['x-jdcloud-date', laterDate],
    ['x-jdcloud-nonce', '11111111-2222-4333-8444-555555555555'],
  ] as const

/** The vectors that JD Cloud publishes. */
const vectors: readonly Vector[] = [
  {
    name: 'GET without a body',
    secretKey: 'sk',
    input: {
      method: 'GET',
      path: '/',
      headers: [
        ['host', 'vm.cn-north-1.jdcloud.net'],
        ['x-jdcloud-date', '20090213T233130Z'],
        ['x-jdcloud-nonce', 'uuid'],
      ],
      body: '',
      date: '20090213T233130Z',
      region: 'cn-north-1',
      service: 'vm',
    },
    want: '43a76892222031f847c00c56cac8d4d2dc179a4e75a37868d09a5300435f4054',
  },
  {
    name: 'POST with a colon in its path',
    secretKey: 'SECRET-abcdefghijklmnop',
    input: {
      method: 'POST',
      path: '/v1/sslCert%3Aupload',
      headers: laterHeaders('ssl.jdcloud-api.com'),
      body: '{"certName":"clouddeploy-1","certFile":"CERT","keyFile":"KEY"}',
      date: laterDate,
      region: 'jdcloud-api',
      service: 'ssl',
    },
    want: '03ac43aa03cf75273d6e7c470fec0cf24e0a3034fbc78e410c422a123fcf739e',
  },
  {
    name: 'GET with a query',
    secretKey: 'SECRET-abcdefghijklmnop',
    input: {
      method: 'GET',
      path: '/v1/domains',
      query: 'pageNumber=1&pageSize=100',
      headers: laterHeaders('vod.jdcloud-api.com'),
      body: '',
      date: laterDate,
      region: 'jdcloud-api',
      service: 'vod',
    },
    want: 'a37cf486107f2bcaac72c152913d3e7a28c53edcf31bb3a8ad691cf037de9583',
  },
]

t.test("JD Cloud's published vectors", async (t) => {
  for (const { name, secretKey, input, want } of vectors) {
    t.test(name, async (t) => t.equal(signatureOf(input, secretKey), want))
  }
})

t.test('every part of the request is signed', async (t) => {
  const [vector] = vectors
  if (!vector) throw new Error('no vector')
  const { input, secretKey, want } = vector
  const changes: readonly Partial<Signable>[] = [
    { method: 'PUT' },
    { path: '/a' },
    { query: 'a=b' },
    { headers: input.headers.slice(1) },
    { headers: input.headers.map(([name]) => [name, 'other'] as const) },
    { body: Buffer.from('x') },
    { date: '20090213T233131Z' },
    { date: '20090214T233130Z' },
    { region: 'cn-north-2' },
    { service: 'oss' },
  ]
  for (const change of changes) t.not(signatureOf({ ...input, ...change }, secretKey), want, JSON.stringify(change))
  t.not(signatureOf(input, 'sk2'), want, 'the secret')
})
