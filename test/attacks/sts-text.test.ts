import { createServer } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { describeRefusal } from '../../src/sts/refusal.ts'
import { build } from '../helpers/build.ts'
import { listen } from '../helpers/listen.ts'
import { claims, mint } from '../helpers/tokens.ts'

/** Keys in the forms that JD Cloud has given them; made up. */
const OWN = { accessKey: 'JDC_0A1B2C3D4E5F60718293A4B5C6D7', secretKey: 'F0E1D2C3B4A5968778695A4B3C2D1E0F' }
const OLDER = { accessKey: '9C8B7A6D5E4F30211203F4E5D6A7B8C9', secretKey: '00112233445566778899AABBCCDDEEFF' }
const TEMPORARY = { accessKey: 'TMP', secretKey: 'x', sessionToken: '7f6e5d4c3b2a19080f1e2d3c4b5a69788f9eadbc' }
/** Without a part that reads the same backwards. */
const MIXED = { accessKey: 'JDC_9F3K7QZ1X5WM8TB2V6RD4HNP0YCG', secretKey: 'Q7ZK3M9XW1VT5RB8HND2YPG6CF4JAL0E' }
const KEYS = [OWN, OLDER, TEMPORARY, MIXED]
const ID = 'bgvsvqrgujfiqoshw9mhwm3fw7tj35ev'
const UUID = 'f37a54c6-c6ee-4d0e-8d5b-3fa4d9f29f05'

const reversed = (text: string) => [...text].reverse().join('')

/** Whether eight characters in a row of a key are in the text, however they are written. */
function leaks(text: string): boolean {
  const plain = text.toLowerCase().replaceAll('-', '')
  return KEYS.some((keys) =>
    Object.values(keys).some((secret) => {
      const other = secret.toLowerCase()
      return Array.from({ length: Math.max(0, other.length - 7) }).some((_, at) =>
        plain.includes(other.slice(at, at + 8)),
      )
    }),
  )
}

type Told = ReturnType<typeof describeRefusal>
const error = (status: unknown, code: unknown = 403, requestId: unknown = ID) => ({
  requestId,
  error: { status, code },
})
const told = (changes: Partial<Told> = {}): Told => ({ requestId: ID, code: 403, reason: 'HTTP_FORBIDDEN', ...changes })

const rows: { name: string; body: unknown; want: Told }[] = [
  { name: 'as it is documented', body: error('HTTP_FORBIDDEN'), want: told() },
  {
    name: 'a status of the gateway',
    body: error('APIGW_KEY_NOT_EXITST', 401),
    want: told({ code: 401, reason: 'APIGW_KEY_NOT_EXITST' }),
  },
  { name: 'a sub-code', body: error('NOT_FOUND', 40_401), want: told({ code: 40_401, reason: 'NOT_FOUND' }) },
  {
    name: 'a request id in the form of a UUID',
    body: error('HTTP_FORBIDDEN', 403, UUID),
    want: told({ requestId: UUID }),
  },
  { name: 'a status that nobody knows', body: error('SOMETHING_NEW'), want: told({ reason: 'other' }) },
  ...KEYS.flatMap(({ accessKey, secretKey }) =>
    [accessKey, accessKey.toLowerCase(), secretKey, `KEY_${accessKey}_NOT_FOUND`].map((status) => ({
      name: `${status} as status`,
      body: error(status),
      want: told({ reason: 'other' }),
    })),
  ),
  ...[
    OWN.accessKey,
    OWN.accessKey.toLowerCase(),
    OWN.accessKey.slice(4).toLowerCase(),
    `00${OWN.accessKey.slice(4).toLowerCase()}00`,
    OLDER.accessKey,
    OLDER.accessKey.toLowerCase(),
    OLDER.secretKey.toLowerCase(),
    OLDER.accessKey.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5'),
    `${OLDER.accessKey.slice(16).toLowerCase()}${OLDER.accessKey.slice(0, 16).toLowerCase()}`,
    TEMPORARY.sessionToken.slice(0, 32),
    reversed(OLDER.accessKey).toLowerCase(),
    reversed(OWN.accessKey.slice(-32)).toLowerCase(),
    `00${reversed(OLDER.secretKey.slice(2, 30)).toLowerCase()}00`,
    Buffer.from(OWN.accessKey).toString('hex').slice(0, 32),
    Buffer.from(OWN.accessKey).toString('hex').slice(-32),
    Buffer.from(OLDER.secretKey.toLowerCase()).toString('hex').slice(1, 33),
    reversed(Buffer.from(OLDER.accessKey).toString('hex').slice(0, 32)),
    reversed(MIXED.secretKey).toLowerCase(),
    reversed(Buffer.from(MIXED.secretKey).toString('hex').slice(0, 32)),
    Buffer.from(reversed(MIXED.secretKey)).toString('hex').slice(0, 32),
    Buffer.from(MIXED.secretKey).toString('hex').slice(0, 32),
    Buffer.from(reversed(OLDER.accessKey)).toString('hex').slice(0, 32),
    Buffer.from(OLDER.accessKey)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5'),
    `${ID.slice(0, 12)}${Buffer.from(TEMPORARY.sessionToken.slice(5, 15)).toString('hex')}`,
    ...[0, 1, 2].map((at) =>
      Buffer.from(`${OLDER.accessKey}${OLDER.accessKey}`.slice(at)).toString('base64').toLowerCase().slice(0, 32),
    ),
    `tmp${ID.slice(3)}`,
    `${ID}\n${OWN.accessKey}`,
    `${ID.slice(1)}_`,
    ID.toUpperCase(),
    'req-1',
    '',
    7,
    null,
    [ID],
    { toString: OWN.accessKey },
  ].map((requestId) => ({
    name: `${JSON.stringify(requestId)} as request id`,
    body: error('HTTP_FORBIDDEN', 403, requestId),
    want: told({ requestId: undefined }),
  })),
  ...[OWN.accessKey, '403', 1, 403.5, 1e9, 123_456, -403, null, Number.MAX_SAFE_INTEGER].map((code) => ({
    name: `${code} as code`,
    body: error('HTTP_FORBIDDEN', code),
    want: told({ code: undefined }),
  })),
  { name: 'a list as status', body: error([OWN.accessKey]), want: told({ reason: undefined }) },
  { name: 'no error', body: { requestId: ID }, want: told({ code: undefined, reason: undefined }) },
  { name: 'text', body: OWN.accessKey, want: { requestId: undefined, code: undefined, reason: undefined } },
  { name: 'nothing', body: undefined, want: { requestId: undefined, code: undefined, reason: undefined } },
]

for (const { name, body, want } of rows) {
  t.test(`a refusal of STS: ${name}`, async (t) => {
    const description = describeRefusal(body, KEYS)
    t.strictSame(description, want)
    t.notOk(leaks(JSON.stringify(description)))
  })
}

t.test('nothing that STS writes brings a part of a key into the log', async () => {
  const part = fc.constantFrom(...KEYS.flatMap((keys) => Object.values(keys)))
  const cut = fc.tuple(part, fc.nat({ max: 32 }), fc.nat({ max: 40 }), fc.boolean())
  const piece = cut.map(([text, from, length, lower]) => {
    const slice = text.slice(from, from + length)
    return lower ? slice.toLowerCase() : slice
  })
  const text = fc
    .tuple(fc.stringMatching(/^[0-9a-z]{0,32}$/u), piece, fc.stringMatching(/^[0-9a-z]{0,32}$/u))
    .map((all) => all.join('').slice(0, 32))
  fc.assert(
    fc.property(
      text,
      text,
      (status, requestId) => !leaks(JSON.stringify(describeRefusal(error(status, 403, requestId), KEYS))),
    ),
    { numRuns: 5000 },
  )
})

t.test("no part of an answer that quotes our keys is in the service's log", async (t) => {
  const quoting = JSON.stringify({
    requestId: OLDER.accessKey.toLowerCase(),
    error: { code: 403, status: OLDER.accessKey, message: OLDER.secretKey, details: [OLDER] },
  })
  for (const [status, body] of [
    [403, quoting],
    [500, quoting],
    [429, quoting],
    [200, quoting],
    [200, JSON.stringify({ result: { credentials: { ...OLDER, sessionToken: 't', expiration: OLDER.accessKey } } })],
    [403, `<html>${OLDER.accessKey}</html>`],
    [302, ''],
  ] as const) {
    const headers = { location: `/${OLDER.accessKey}`, 'retry-after': OLDER.accessKey, 'x-request-id': OLDER.accessKey }
    const endpoint = await listen(t, (_request, response) => response.writeHead(status, headers).end(body))
    const env = {
      JDCLOUD_STS_ENDPOINT: endpoint,
      JDCLOUD_ACCESS_KEY: OLDER.accessKey,
      JDCLOUD_SECRET_KEY: OLDER.secretKey,
    }
    const { app, logs } = await build(t, { env, realSts: true })
    const response = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${mint(claims())}` },
      payload: { policy: 'user-upload' },
    })
    t.match(response.json().code, /^upstream_/u)
    t.notOk(leaks(logs.text().replaceAll('\\n', '')), `${status}`)
  }
})

t.test('an answer that is no HTTP is not quoted', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(`${OLDER.accessKey} ${OLDER.secretKey}\r\n\r\n`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const env = { JDCLOUD_STS_ENDPOINT: `http://127.0.0.1:${address.port}`, JDCLOUD_ACCESS_KEY: OLDER.accessKey }
  const { app, logs } = await build(t, { env, realSts: true })
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers: { authorization: `Bearer ${mint(claims())}` },
    payload: { policy: 'user-upload' },
  })
  t.equal(response.json().code, 'upstream_unavailable')
  t.ok(logs.lines().some(({ code }) => code === 'upstream_unavailable'))
  t.notOk(leaks(logs.text()))
})
