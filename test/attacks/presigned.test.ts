import t from 'tap'
import { build, SENTINELS } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { denied } from '../helpers/vending.ts'
import { ALL, startSigning } from '../presigned/harness.ts'

const PUT = { policy: 'user-upload', operation: 'PutObject' }
const FORM = { policy: 'user-upload', maxBytes: 9 }
const OWN = 'users/alice/a'
const PARTS = { ...PUT, operation: 'MultipartUpload', key: OWN, uploadId: 'x', partNumbers: [1] }
const [BAD, FORBIDDEN, UNSAFE] = ['400 invalid_request', '403 key_not_allowed', '422 unsafe_value']

const URLS: readonly { name: string; body: unknown; want: string }[] = [
  // Keys that others would read in another way.
  { name: '..', body: { ...PUT, key: 'users/alice/../bob/a' }, want: BAD },
  { name: '.. at the end', body: { ...PUT, key: 'users/alice/..' }, want: BAD },
  { name: 'an encoded ..', body: { ...PUT, key: 'users/alice/%2e%2E/bob/a' }, want: BAD },
  { name: '.. encoded twice, with its slash', body: { ...PUT, key: 'users/alice/%252e%252e%252fbob/a' }, want: BAD },
  { name: '.. encoded inside an encoding', body: { ...PUT, key: 'users/alice/%2%65%%32%65/bob/a' }, want: BAD },
  { name: '.. between backslashes', body: { ...PUT, key: 'users/alice/..\\bob\\a' }, want: BAD },
  { name: '.. before a path parameter', body: { ...PUT, key: 'users/alice/..;a=b/bob/a' }, want: BAD },
  { name: 'another bucket', body: { ...PUT, key: 'users/alice/../../../other-bucket/a' }, want: BAD },
  { name: 'a slash in front', body: { ...PUT, key: '/users/alice/a' }, want: BAD },
  { name: 'NUL', body: { ...PUT, key: 'users/alice/a\0' }, want: BAD },
  { name: 'CR LF', body: { ...PUT, key: 'users/alice/a\r\nhost: evil' }, want: BAD },
  { name: 'half a character', body: { ...PUT, key: 'users/alice/\ud800' }, want: BAD },
  { name: '1025 bytes', body: { ...PUT, key: `users/alice/${'é'.repeat(506)}a` }, want: BAD },
  { name: 'nothing', body: { ...PUT, key: '' }, want: BAD },
  { name: 'one such among good ones', body: { ...PUT, keys: [OWN, 'users/alice/./b'] }, want: BAD },
  // Keys of others.
  { name: "another's key", body: { ...PUT, key: 'users/bob/a' }, want: FORBIDDEN },
  { name: 'one such among good ones', body: { ...PUT, keys: [OWN, 'users/bob/a', OWN] }, want: FORBIDDEN },
  { name: 'the folder itself', body: { ...PUT, key: 'users/alice' }, want: FORBIDDEN },
  { name: 'a name that begins so', body: { ...PUT, key: 'users/alice2/a' }, want: FORBIDDEN },
  { name: 'another case', body: { ...PUT, key: 'Users/alice/a' }, want: FORBIDDEN },
  { name: 'a *', body: { ...PUT, key: '*' }, want: FORBIDDEN },
  { name: 'a * for the name', body: { ...PUT, key: 'users/*/a' }, want: FORBIDDEN },
  { name: 'a JRN', body: { ...PUT, key: 'jrn:oss:*:111111111111:test-app/users/alice/a' }, want: FORBIDDEN },
  { name: 'a template variable', body: { ...PUT, key: 'users/${jwt:sub}/a' }, want: FORBIDDEN },
  { name: 'a query', body: { ...PUT, key: '?uploads' }, want: FORBIDDEN },
  { name: "another's upload", body: { ...PARTS, key: 'users/bob/a' }, want: FORBIDDEN },
  // Operations.
  { name: 'an operation that the policy lacks', body: { ...PUT, operation: 'GetObject', key: OWN }, want: FORBIDDEN },
  { name: 'another one', body: { ...PUT, operation: 'DeleteObject', key: OWN }, want: FORBIDDEN },
  { name: 'a list', body: { ...PUT, operation: 'ListObjectsV2', key: OWN }, want: BAD },
  { name: 'a copy', body: { ...PUT, operation: 'CopyObject', key: OWN }, want: BAD },
  { name: 'one step alone', body: { ...PARTS, operation: 'CompleteMultipartUpload' }, want: BAD },
  { name: 'no operation', body: { policy: 'user-upload', key: OWN }, want: BAD },
  // Params that would widen.
  { name: 'a param *', body: { ...PUT, policy: 'album-upload', params: { album: '*' }, key: OWN }, want: UNSAFE },
  { name: 'a param ..', body: { ...PUT, policy: 'album-upload', params: { album: '..' }, key: OWN }, want: UNSAFE },
  {
    name: 'a param with a slash',
    body: { ...PUT, policy: 'album-upload', params: { album: 'a/b' }, key: OWN },
    want: UNSAFE,
  },
  { name: 'no param', body: { ...PUT, policy: 'album-upload', key: OWN }, want: BAD },
  { name: 'a param too many', body: { ...PUT, params: { sub: 'bob' }, key: 'users/bob/a' }, want: BAD },
  // Headers.
  {
    name: 'a type with CR LF',
    body: { ...PUT, key: OWN, contentType: 'image/png\r\nx-amz-acl: public-read' },
    want: BAD,
  },
  { name: 'a type with a wildcard', body: { ...PUT, key: OWN, contentType: 'image/*' }, want: BAD },
  { name: 'two types', body: { ...PUT, key: OWN, contentType: 'image/png, text/html' }, want: BAD },
  {
    name: 'a type for a read',
    body: { ...PUT, policy: 'user-files', operation: 'GetObject', key: OWN, contentType: 'a/b' },
    want: BAD,
  },
  { name: 'no MD5', body: { ...PUT, key: OWN, contentMd5: 'x' }, want: BAD },
  { name: 'an MD5 for several', body: { ...PUT, keys: [OWN], contentMd5: 'CY9rzUYh03PK3k6DJie09g==' }, want: BAD },
  // Numbers.
  { name: '0 seconds', body: { ...PUT, key: OWN, expiresInSeconds: 0 }, want: BAD },
  { name: 'a negative time', body: { ...PUT, key: OWN, expiresInSeconds: -1 }, want: BAD },
  { name: 'half a second', body: { ...PUT, key: OWN, expiresInSeconds: 0.5 }, want: BAD },
  { name: 'a week', body: { ...PUT, key: OWN, expiresInSeconds: 604_800 }, want: BAD },
  { name: 'for ever', body: { ...PUT, key: OWN, expiresInSeconds: 1e300 }, want: BAD },
  { name: 'a text', body: { ...PUT, key: OWN, expiresInSeconds: '60' }, want: BAD },
  { name: 'no key', body: PUT, want: BAD },
  { name: 'no keys', body: { ...PUT, keys: [] }, want: BAD },
  { name: 'a key and keys', body: { ...PUT, key: OWN, keys: [OWN] }, want: BAD },
  { name: '101 keys', body: { ...PUT, keys: Array.from({ length: 101 }, () => OWN) }, want: BAD },
  { name: '101 parts', body: { ...PARTS, partNumbers: Array.from({ length: 101 }, () => 1) }, want: BAD },
  { name: 'part 0', body: { ...PARTS, partNumbers: [0] }, want: BAD },
  { name: 'part 10,001', body: { ...PARTS, partNumbers: [10_001] }, want: BAD },
  { name: 'no part', body: { ...PARTS, partNumbers: [] }, want: BAD },
  { name: 'several keys for one upload', body: { ...PARTS, keys: [OWN] }, want: BAD },
  { name: 'an upload with CR LF', body: { ...PARTS, uploadId: 'x\r\n' }, want: BAD },
  { name: 'a body of 200 kB', body: { ...PUT, key: 'x'.repeat(200_000) }, want: '413 payload_too_large' },
  { name: 'an unknown field', body: { ...PUT, key: OWN, bucket: 'other-bucket' }, want: BAD },
  { name: 'no such policy', body: { ...PUT, policy: 'none', key: OWN }, want: '404 policy_not_found' },
]

const FORMS: readonly { name: string; body: unknown; want: string }[] = [
  { name: "the store's variable", body: { ...FORM, key: 'users/alice/${filename}' }, want: BAD },
  { name: 'in a prefix', body: { ...FORM, keyPrefix: 'users/alice/${filename}' }, want: BAD },
  { name: 'any variable', body: { ...FORM, key: 'users/alice/${x' }, want: BAD },
  { name: '..', body: { ...FORM, keyPrefix: 'users/alice/../' }, want: BAD },
  { name: '.. encoded inside an encoding', body: { ...FORM, keyPrefix: 'users/alice/%2%65%2%65/' }, want: BAD },
  { name: 'an empty prefix', body: { ...FORM, keyPrefix: '' }, want: BAD },
  { name: "another's key", body: { ...FORM, key: 'users/bob/a' }, want: FORBIDDEN },
  { name: "another's folder", body: { ...FORM, keyPrefix: 'users/bob/' }, want: FORBIDDEN },
  { name: 'the folder of all', body: { ...FORM, keyPrefix: 'users/' }, want: FORBIDDEN },
  { name: 'the folder without its slash', body: { ...FORM, keyPrefix: 'users/alice' }, want: FORBIDDEN },
  { name: 'a * for the name', body: { ...FORM, keyPrefix: 'users/*/' }, want: FORBIDDEN },
  { name: 'a policy that reads', body: { ...FORM, policy: 'shared-download', keyPrefix: 'public/' }, want: FORBIDDEN },
  { name: 'a key and a prefix', body: { ...FORM, key: OWN, keyPrefix: 'users/alice/' }, want: BAD },
  { name: 'no key', body: FORM, want: BAD },
  { name: 'no limit', body: { policy: 'user-upload', key: OWN }, want: BAD },
  { name: '0 bytes', body: { ...FORM, key: OWN, maxBytes: 0 }, want: BAD },
  { name: 'over 5 GiB', body: { ...FORM, key: OWN, maxBytes: 6e9 }, want: BAD },
  { name: 'more than the most', body: { ...FORM, key: OWN, minBytes: 10 }, want: BAD },
  { name: 'less than nothing', body: { ...FORM, key: OWN, minBytes: -1 }, want: BAD },
  { name: 'half a byte', body: { ...FORM, key: OWN, maxBytes: 1.5 }, want: BAD },
  { name: 'a wildcard', body: { ...FORM, key: OWN, contentTypes: ['image/*'] }, want: BAD },
  { name: 'a type twice', body: { ...FORM, key: OWN, contentTypes: ['a/b', 'a/b'] }, want: BAD },
  {
    name: 'eleven types',
    body: { ...FORM, key: OWN, contentTypes: Array.from({ length: 11 }, (_, i) => `a/${i}`) },
    want: BAD,
  },
  { name: 'no type', body: { ...FORM, key: OWN, contentTypes: [] }, want: BAD },
]

t.test('what must not be signed is refused before a session is asked for', async (t) => {
  const { ask, sandbox } = await startSigning(t)
  for (const [url, rows] of [['/v1/presigned-urls', URLS] as const, ['/v1/presigned-posts', FORMS] as const]) {
    t.test(url, async (t) => {
      for (const { name, body, want } of rows) {
        const answer = await ask(url, body)
        t.equal(`${answer.status} ${answer.body.code}`, want, name)
        t.notMatch(JSON.stringify(answer.body), /Signature|bob/iu, 'and the answer tells nothing')
      }
    })
  }
  t.test('callers', async (t) => {
    for (const [url, body] of [['/v1/presigned-urls', PUT] as const, ['/v1/presigned-posts', FORM] as const]) {
      const asked = { ...body, key: OWN }
      t.match(await ask(url, asked, { scope: 'openid' }), { status: 403, body: { code: 'policy_not_allowed' } })
      t.match(await ask(url, asked, { exp: 1 }), { status: 401 })
      t.match(await ask(url, asked, { sub: '*' }), { status: 422, body: { code: 'unsafe_value' } })
      t.match(await ask(url, asked, { sub: 'bob' }), { status: 403, body: { code: 'key_not_allowed' } })
    }
  })
  t.equal(sandbox.sts.asked.length, 0)
})

t.test('what looks odd and is the own key, is signed as it is', async (t) => {
  const { askUrls } = await startSigning(t)
  for (const key of [
    'users/alice/*',
    'users/alice/${filename}',
    'users/alice//a',
    'users/alice/a/',
    `users/alice/${'é'.repeat(506)}`,
  ]) {
    t.equal((await askUrls({ ...PUT, key })).status, 200, key)
  }
  const keys = Array.from({ length: 100 }, () => `users/alice/${'é'.repeat(506)}`)
  t.equal((await askUrls({ ...PUT, keys })).status, 200, 'a hundred of the longest keys')
})

t.test('the secret of the session is in no answer, and nothing of it in a log or a refusal', async (t) => {
  const { app, logs } = await build(t)
  const headers = { authorization: `Bearer ${mint(claims(ALL))}` }
  for (const [url, body] of [['/v1/presigned-urls', PUT] as const, ['/v1/presigned-posts', FORM] as const]) {
    const answer = await app.inject({ method: 'POST', url, headers, payload: { ...body, key: OWN } })
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.match(answer.body, SENTINELS.sessionToken)
    t.notMatch(answer.body, SENTINELS.secretKey)
  }
  t.equal(logs.lines().filter(({ msg }) => msg === 'signed').length, 2)
  t.notMatch(logs.text(), /SENTINEL|X-Amz|alice\/a/u)
})

t.test('a caller who may cause no more new sessions can sign, and exhausts nobody', async (t) => {
  let answer: () => void = () => {}
  const asked: string[] = []
  const { accessKey, secretKey, sessionToken } = SENTINELS
  const source = {
    async assumeRole({ roleSessionName, durationSeconds }: { roleSessionName: string; durationSeconds: number }) {
      asked.push(roleSessionName)
      answer()
      return { accessKey, secretKey, sessionToken, expiresAt: Date.now() + durationSeconds * 1000 }
    },
    close: async () => {},
  }
  let now = Date.now()
  const { app } = await build(t, {
    env: { RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '2' },
    dependencies: {
      source,
      clock: { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} },
    },
  })
  const send = async (url: string, payload: Record<string, unknown>, sub = 'alice') => {
    const headers = { authorization: `Bearer ${mint(claims({ ...ALL, sub }))}` }
    return (await app.inject({ method: 'POST', url, headers, payload })).statusCode
  }
  const sign = (sub: string) => send('/v1/presigned-urls', { ...PUT, key: `users/${sub}/a` }, sub)
  for (const [album, want] of [
    ['a', 200],
    ['b', 200],
    ['c', 429],
  ] as const) {
    t.equal(await send('/v1/credentials', { policy: 'album-upload', params: { album } }), want)
  }
  answer = () => {
    throw denied()
  }
  for (let n = 0; n < 10; n++) {
    t.equal(await sign('alice'), 502, 'each failure is STS, and not the limit of a caller')
    now += 3001
  }
  answer = () => {}
  t.equal(await sign('alice'), 200)
  t.equal(await sign('bob'), 200)
  t.equal(asked.filter((name) => name === 'user-upload.signed-writes').length, 11)
  t.equal(await send('/v1/credentials', { policy: 'album-upload', params: { album: 'a' } }, 'bob'), 200)
})

t.test('a batch counts for more than one request, and a caller over the limit gets no signature', async (t) => {
  const { askUrls, sandbox } = await startSigning(t, { env: { RATE_LIMIT_CALLER_PER_MINUTE: '20' } })
  const batch = (size: number) => ({ ...PUT, keys: Array.from({ length: size }, (_, i) => `users/alice/${i}`) })
  const rows = [
    { size: 1, left: '19' },
    { size: 10, left: '18' },
    { size: 11, left: '16' },
    { size: 100, left: '6' },
  ]
  for (const { size, left } of rows) {
    t.match(await askUrls(batch(size)), { status: 200, headers: { 'ratelimit-remaining': left } }, `${size}`)
  }
  const { length } = sandbox.sts.asked
  const refused = await askUrls(batch(100))
  t.match(refused, { status: 429, body: { code: 'rate_limited' }, headers: { 'ratelimit-remaining': '0' } })
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal(sandbox.sts.asked.length, length)
  t.equal(
    (await askUrls({ ...batch(1), keys: ['users/bob/1'] }, { sub: 'bob' })).status,
    200,
    'others are not limited by it',
  )
})
