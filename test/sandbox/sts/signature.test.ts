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

const gateway = (path: string, want: string): Vector => ({
  name: `JDCLOUD3, path "${path}"`,
  secretKey: 'sk',
  input: {
    version: 3,
    method: 'GET',
    path,
    headers: [
      ['content-type', 'application/json'],
      ['host', 'apigw-internal-dev.cn-north-1.jcloudcs.com:8000'],
      ['x-jdcloud-date', '20190917T064708Z'],
      ['x-jdcloud-nonce', 'X-Jdcloud-Nonce'],
    ],
    body: '',
    date: '20190917T064708Z',
    region: 'cn-north-1',
    service: 'apigatewaytestproductline',
  },
  want,
})
const chinese = '936ed2dcb6fb4271ad640e0f46f1fe61763a0bad8bb4f4eb1224261f969612fa'

/** The vectors that JD Cloud publishes. */
const vectors: readonly Vector[] = [
  {
    name: 'GET without a body',
    secretKey: 'sk',
    input: {
      version: 2,
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
      version: 2,
      method: 'POST',
      path: '/v1/sslCert:upload',
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
      version: 2,
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
  gateway('', '44c5ec30b6185516986ae171d8276552bc0f37f6a536a44e4f578958fc1c12be'),
  gateway('/v1/regions/cn-north-1/instances/中文:GET', chinese),
  gateway('v1', '92cd3ed582c13af58b4c81ddad150c350e656c6cc9e78ec154d7385e499b91b6'),
]

t.test('equal paths have equal signatures', async (t) => {
  const rows = ['//v1/regions///cn-north-1/instances/%E4%B8%AD文%3aGET', 'v1/regions/cn-north-1/instances/中文%3AGET']
  for (const path of rows) t.equal(signatureOf(gateway(path, chinese).input, 'sk'), chinese, path)
  const [blank, plus, tilde] = ['/a%20b', '/a+b', "/a~!'()*"].map((path) => signatureOf(gateway(path, '').input, 'sk'))
  t.equal(blank, plus, 'a plus is a blank')
  t.equal(tilde, signatureOf(gateway('/a%7E%21%27%28%29%2A', '').input, 'sk'))
})

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
    { version: 3 },
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
