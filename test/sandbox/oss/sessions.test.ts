import t from 'tap'
import { allow, BUCKET, type Call, type Oss, startOss } from './harness.ts'
import type { Keys } from './sigv4.ts'

const HOUR = 3_600_000

t.test('temporary keys work only with their own token, until they expire', async (t) => {
  const oss = await startOss(t, {
    rolePolicies: [allow(['oss:*'], '*', `jrn:oss:*:111111111111:${BUCKET}`)],
  })
  const session = oss.session()
  const other = oss.session()
  const { accessKey, secretKey, sessionToken } = session
  const owner = oss.world.users.values().next().value
  const ownerKeys = { accessKey: owner?.accessKey ?? '', secretKey: owner?.secretKey ?? '' }
  const wrong = 'x'.repeat(32)

  type Row = Readonly<{ name: string; keys: Keys; later?: number; want: readonly [number, string?] }>
  const rows: readonly Row[] = [
    { name: 'its own token', keys: session, want: [200] },
    { name: 'no token', keys: { accessKey, secretKey }, want: [403, 'InvalidAccessKeyId'] },
    { name: 'an empty token', keys: { ...session, sessionToken: '' }, want: [400, 'InvalidToken'] },
    {
      name: "another session's token",
      keys: { ...session, sessionToken: other.sessionToken },
      want: [400, 'InvalidToken'],
    },
    {
      name: 'a token with a bit flipped in the middle',
      keys: { ...session, sessionToken: flipAt(sessionToken, sessionToken.length / 2) },
      want: [400, 'InvalidToken'],
    },
    {
      name: 'a token with a bit flipped at the end',
      keys: { ...session, sessionToken: flipAt(sessionToken, sessionToken.length - 1) },
      want: [400, 'InvalidToken'],
    },
    {
      name: 'half a token',
      keys: { ...session, sessionToken: sessionToken.slice(0, 256) },
      want: [400, 'InvalidToken'],
    },
    { name: 'a token with long-lived keys', keys: { ...ownerKeys, sessionToken }, want: [400, 'InvalidToken'] },
    {
      name: 'a token with an unknown key',
      keys: { ...session, accessKey: 'JDC_NOBODY' },
      want: [403, 'InvalidAccessKeyId'],
    },
    { name: 'another secret', keys: { ...session, secretKey: wrong }, want: [403, 'SignatureDoesNotMatch'] },
    { name: 'the last second', keys: session, later: HOUR - 1000, want: [200] },
    { name: 'expired', keys: session, later: HOUR, want: [400, 'ExpiredToken'] },
    {
      name: 'expired and with a wrong secret: the answer shows only the wrong signature',
      keys: { ...session, secretKey: wrong },
      later: HOUR,
      want: [403, 'SignatureDoesNotMatch'],
    },
  ]
  const start = Math.floor(oss.time.now / 1000) * 1000
  for (const { name, keys, later = 0, want } of rows) {
    for (const how of ['header', 'query'] as const) {
      t.test(`${name}, in the ${how}`, async (t) => {
        oss.time.now = start + later
        const presign = how === 'query' ? { presign: 60 } : {}
        const { status, code } = await oss.call({ method: 'PUT', body: how, keys, ...presign })
        t.strictSame([status, code], [want[0], want[1]])
      })
    }
  }
})

function flipAt(text: string, index: number): string {
  const i = Math.floor(index)
  return `${text.slice(0, i)}${text[i] === 'A' ? 'B' : 'A'}${text.slice(i + 1)}`
}

t.test('a session may do what both its role and its policy allow', async (t) => {
  const put: Call = { method: 'PUT', path: `/${BUCKET}/users/alice/a`, body: 'x' }
  const get: Call = { path: `/${BUCKET}/users/alice/old` }
  const keysOf =
    (...policy: Parameters<Oss['session']>) =>
    (oss: Oss) =>
      oss.session(...policy)
  const testIam = ({ world }: Oss) => [...world.users.values()].find(({ name }) => name === 'test-iam') ?? never()

  type Row = Readonly<{
    name: string
    keys: (oss: Oss) => Keys
    call: Call
    want: readonly [number, string?]
  }>
  const upload = allow(['oss:PutObject'], 'users/alice/*')
  const list = allow(['oss:*'], '*', `jrn:oss:*:111111111111:${BUCKET}`)
  const denied = [403, 'AccessDenied'] as const
  const rows: readonly Row[] = [
    { name: 'both allow', keys: keysOf(upload), call: put, want: [200] },
    { name: 'the policy does not allow the action', keys: keysOf(upload), call: get, want: denied },
    { name: "a neighbour's key", keys: keysOf(upload), call: { ...put, path: `/${BUCKET}/users/bob/a` }, want: denied },
    {
      name: "another user's key by dot dot",
      keys: keysOf(upload),
      call: { ...put, path: `/${BUCKET}/users/alice/../bob/a` },
      want: [200],
    },
    {
      name: 'a name with the same beginning',
      keys: keysOf(upload),
      call: { ...put, path: `/${BUCKET}/users/alice2/a` },
      want: denied,
    },
    { name: 'the role does not allow it', keys: keysOf(list), call: { path: `/${BUCKET}` }, want: denied },
    { name: 'without a session policy, all rights of the role', keys: keysOf(), call: get, want: [200] },
    { name: 'but not more than the role', keys: keysOf(), call: { path: `/${BUCKET}` }, want: denied },
    {
      name: 'Deny is not effective for OSS',
      keys: keysOf({ ...upload, Statement: [...upload.Statement, { Effect: 'Deny', Action: ['*'], Resource: ['*'] }] }),
      call: put,
      want: [200],
    },
    {
      name: 'Condition is not effective for OSS',
      keys: keysOf({
        ...upload,
        Statement: upload.Statement.map((one) => ({ ...one, Condition: { Bool: { no: 'true' } } })),
      }),
      call: put,
      want: [200],
    },
    {
      name: 'a policy for another account',
      keys: keysOf(allow(['oss:*'], 'jrn:oss:*:222222222222:*')),
      call: put,
      want: denied,
    },
    { name: 'the sub-user may only assume roles', keys: testIam, call: put, want: denied },
    {
      name: 'a missing object, for a caller who may not list',
      keys: keysOf(),
      call: { path: `/${BUCKET}/none` },
      want: denied,
    },
    { name: 'the same, by HEAD', keys: keysOf(), call: { method: 'HEAD', path: `/${BUCKET}/none` }, want: [403] },
    { name: 'deleting', keys: keysOf(), call: { ...get, method: 'DELETE' }, want: [204] },
    { name: 'deleting without the action', keys: keysOf(upload), call: { ...get, method: 'DELETE' }, want: denied },
    { name: 'listing buckets', keys: keysOf(), call: { path: '/' }, want: denied },
    { name: 'deleting the bucket', keys: keysOf(), call: { method: 'DELETE', path: `/${BUCKET}` }, want: denied },
    { name: 'creating a bucket', keys: keysOf(), call: { method: 'PUT', path: `/${BUCKET}` }, want: denied },
    { name: 'reading CORS rules', keys: keysOf(), call: { path: `/${BUCKET}`, query: { cors: '' } }, want: denied },
    {
      name: 'deleting CORS rules',
      keys: keysOf(),
      call: { method: 'DELETE', path: `/${BUCKET}`, query: { cors: '' } },
      want: denied,
    },
  ]
  for (const { name, keys, call, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      oss.bucket.put('users/alice/old', Buffer.from('x'))
      const { status, code } = await oss.call({ ...call, keys: keys(oss) })
      t.strictSame([status, code], [want[0], want[1]])
      t.equal(oss.bucket.get('users/bob/a'), undefined)
    })
  }
})

function never(): never {
  throw new Error('missing')
}

t.test('one allowing policy of the role is enough', async (t) => {
  const oss = await startOss(t, { rolePolicies: [allow(['oss:GetObject'], '*'), allow(['oss:PutObject'], '*')] })
  const keys = oss.session()
  t.equal((await oss.call({ method: 'PUT', body: 'x', keys })).status, 200)
  t.equal((await oss.call({ keys })).text, 'x')
  t.equal((await oss.call({ method: 'DELETE', keys })).code, 'AccessDenied')
})

t.test('a role without policies allows nothing', async (t) => {
  const oss = await startOss(t, { rolePolicies: [] })
  t.equal((await oss.call({ keys: oss.session(allow(['oss:*'], '*')) })).code, 'AccessDenied')
})

t.test('a caller who may list learns that an object is missing', async (t) => {
  const oss = await startOss(t, { rolePolicies: [allow(['oss:*'], '*', `jrn:oss:*:111111111111:${BUCKET}`)] })
  t.equal((await oss.call({ keys: oss.session() })).code, 'NoSuchKey')
})

t.test('a copy needs the right to read the source', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('users/bob/secret', Buffer.from('secret'))
  oss.bucket.put('users/alice/own', Buffer.from('own'))
  const keys = oss.session(allow(['oss:PutObject', 'oss:GetObject'], 'users/alice/*'))
  const path = `/${BUCKET}/users/alice/copy`
  const upload = oss.bucket.uploads.create('users/alice/copy', new Map()).id
  const part = { partNumber: '1', uploadId: upload }
  const rows = [
    { name: 'a neighbour', source: `/${BUCKET}/users/bob/secret`, query: {}, want: 'AccessDenied' },
    { name: 'a neighbour, encoded', source: `${BUCKET}%2Fusers%2Fbob%2Fsecret`, query: {}, want: 'AccessDenied' },
    {
      name: "another user's object, as a part",
      source: `/${BUCKET}/users/bob/secret`,
      query: part,
      want: 'AccessDenied',
    },
    { name: 'a missing object of another user', source: `/${BUCKET}/users/bob/none`, query: {}, want: 'AccessDenied' },
    { name: 'a missing object of the caller', source: `/${BUCKET}/users/alice/none`, query: {}, want: 'AccessDenied' },
    { name: "the caller's own object", source: `/${BUCKET}/users/alice/own`, query: {}, want: undefined },
    { name: "the caller's own object, as a part", source: `/${BUCKET}/users/alice/own`, query: part, want: undefined },
  ]
  for (const { name, source, query, want } of rows) {
    t.test(name, async (t) => {
      const { code } = await oss.call({ method: 'PUT', path, query, keys, headers: { 'x-amz-copy-source': source } })
      t.equal(code, want)
      t.not(oss.bucket.get('users/alice/copy')?.body.toString(), 'secret')
    })
  }
  const other = oss.session(allow(['oss:GetObject'], '*'))
  const copy = { 'x-amz-copy-source': `/${BUCKET}/users/bob/secret` }
  t.equal(
    (await oss.call({ method: 'PUT', path, keys: other, headers: copy })).code,
    'AccessDenied',
    'the right to read is not the right to write',
  )
})
