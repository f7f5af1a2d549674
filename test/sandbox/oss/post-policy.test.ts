import t from 'tap'
import { allow, type Oss, OWNER, startOss } from './harness.ts'
import { type Post, post } from './post.ts'

const alice = allow(['oss:PutObject'], 'users/alice/*')
const forged = Buffer.from('{"expiration":"2999-01-01T00:00:00Z","conditions":[]}').toString('base64')

t.test("a form must meet its policy and its signer's rights", async (t) => {
  type Row = Readonly<{ name: string; input: Post | ((oss: Oss) => Post); want: readonly [number, string?] }>
  const key = (value: string) => ({ fields: { key: value } })
  const denied = [403, 'AccessDenied'] as const
  const rows: readonly Row[] = [
    { name: 'a good form', input: {}, want: [204] },
    { name: 'of a session', input: (oss) => ({ keys: oss.session(alice) }), want: [204] },
    {
      name: "of a session, for another user's key",
      input: (oss) => ({ keys: oss.session(alice), ...key('users/bob/a') }),
      want: denied,
    },
    {
      name: 'of an expired session',
      input: (oss) => ({ keys: oss.session(alice, -1) }),
      want: [400, 'ExpiredToken'],
    },
    {
      name: 'of a session without its token',
      input: (oss) => ({ keys: oss.session(alice), fields: { 'x-amz-security-token': undefined } }),
      want: [403, 'InvalidAccessKeyId'],
    },
    {
      name: 'of a session with another token',
      input: (oss) => ({ keys: oss.session(alice), fields: { 'x-amz-security-token': 'x' } }),
      want: [400, 'InvalidToken'],
    },
    {
      name: 'of an unknown access key',
      input: { keys: { accessKey: 'JDC_NOBODY', secretKey: 'x' } },
      want: [403, 'InvalidAccessKeyId'],
    },
    {
      name: 'signed with another secret',
      input: { keys: { ...OWNER, secretKey: 'x' } },
      want: [403, 'SignatureDoesNotMatch'],
    },
    { name: 'with another policy', input: { policy: forged }, want: [403, 'SignatureDoesNotMatch'] },
    { name: 'for another region', input: { region: 'us-east-1' }, want: [400, 'AuthorizationHeaderMalformed'] },
    { name: 'without a signature', input: { fields: { 'x-amz-signature': undefined } }, want: denied },
    { name: 'without a date', input: { fields: { 'x-amz-date': undefined } }, want: denied },
    { name: 'at the last moment', input: { expiresIn: 1 }, want: [204] },
    { name: 'expired', input: { expiresIn: 0 }, want: denied },
    { name: 'the required key', input: { conditions: [{ key: 'users/alice/a.txt' }] }, want: [204] },
    {
      name: 'another key than the required one',
      input: { conditions: [['eq', '$key', 'users/alice/b.txt']] },
      want: denied,
    },
    {
      name: 'a key with the required prefix',
      input: { conditions: [['starts-with', '$key', 'users/alice/']] },
      want: [204],
    },
    {
      name: 'a key without the required prefix',
      input: { conditions: [['starts-with', '$key', 'users/bob/']] },
      want: denied,
    },
    {
      name: 'the final key counts',
      input: { conditions: [['starts-with', '$key', 'users/alice/${']], ...key('users/alice/${filename}') },
      want: denied,
    },
    { name: 'a file that is large enough', input: { conditions: [['content-length-range', 5, 5]] }, want: [204] },
    {
      name: 'a file that is too small',
      input: { conditions: [['content-length-range', '6', '9']] },
      want: [400, 'EntityTooSmall'],
    },
    {
      name: 'a file that is too large',
      input: { conditions: [['content-length-range', 0, 4]] },
      want: [400, 'EntityTooLarge'],
    },
    { name: 'for another bucket', input: { conditions: [{ bucket: 'other' }] }, want: denied },
    { name: 'with another bucket as a field', input: { fields: { bucket: 'other' }, conditions: [] }, want: denied },
    {
      name: 'an invalid condition',
      input: { conditions: [['matches', '$key', '.*']] },
      want: [400, 'InvalidPolicyDocument'],
    },
    {
      name: 'content types, one of which is wrong',
      input: {
        fields: { 'Content-Type': 'image/png,text/html' },
        conditions: [['starts-with', '$Content-Type', 'image/']],
      },
      want: denied,
    },
    {
      name: 'content types, each of which is right',
      input: {
        fields: { 'Content-Type': 'image/png, image/gif' },
        conditions: [['starts-with', '$Content-Type', 'image/']],
      },
      want: [204],
    },
    { name: 'a public object', input: { fields: { acl: 'public-read' } }, want: [501, 'NotImplemented'] },
    { name: 'a right digest', input: { fields: { 'Content-MD5': 'XUFAKrxLKna5cZ2REBfFkg==' } }, want: [204] },
    {
      name: 'a wrong digest',
      input: { fields: { 'Content-MD5': 'AAAAAAAAAAAAAAAAAAAAAA==' } },
      want: [400, 'BadDigest'],
    },
    { name: 'a malformed digest', input: { fields: { 'Content-MD5': 'AAAA' } }, want: [400, 'InvalidDigest'] },
    { name: 'tags', input: { fields: { tagging: '<Tagging/>' } }, want: [501, 'NotImplemented'] },
    {
      name: 'encryption',
      input: { fields: { 'x-amz-server-side-encryption': 'AES256' } },
      want: [501, 'NotImplemented'],
    },
    { name: 'a field that S3 ignores', input: { fields: { 'x-amz-te': 'append-md5' } }, want: [204] },
    {
      name: 'the required content type',
      input: { fields: { 'Content-Type': 'image/png' }, conditions: [['eq', '$content-type', 'image/png']] },
      want: [204],
    },
    {
      name: 'another content type',
      input: { fields: { 'Content-Type': 'image/png2' }, conditions: [['eq', '$Content-Type', 'image/png']] },
      want: denied,
    },
    { name: 'no content type', input: { conditions: [['starts-with', '$Content-Type', 'image/']] }, want: denied },
    {
      name: 'two limits of its size, of which it meets one',
      input: {
        conditions: [
          ['content-length-range', 0, 5],
          ['content-length-range', 0, 4],
        ],
      },
      want: [400, 'EntityTooLarge'],
    },
    {
      name: 'metadata that would end a header',
      input: { fields: { 'x-amz-meta-a': 'b\r\nset-cookie: c' } },
      want: [400, 'InvalidArgument'],
    },
    { name: 'without a key', input: { fields: { key: undefined } }, want: [400, 'InvalidArgument'] },
    {
      name: 'with the key after the file',
      input: { fields: { key: undefined }, after: { key: 'users/alice/a.txt' } },
      want: [400, 'InvalidArgument'],
    },
    { name: 'without a file', input: { file: null }, want: [400, 'InvalidArgument'] },
    {
      name: 'fields over 20 KiB',
      input: { fields: { 'x-ignore-a': 'a'.repeat(20_480) } },
      want: [400, 'MaxPostPreDataLengthExceededError'],
    },
    { name: 'a key over 1024 bytes', input: key('a'.repeat(1025)), want: [400, 'KeyTooLongError'] },
    {
      name: 'a repeated field, in two spellings',
      input: { fields: { Key: 'users/alice/b.txt' } },
      want: [400, 'InvalidArgument'],
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      oss.time.now = Math.floor(oss.time.now / 1000) * 1000
      const { status, code } = await post(oss, typeof input === 'function' ? input(oss) : input)
      t.strictSame([status, code], [want[0], want[1]])
      t.equal(oss.bucket.keys().length, want[0] === 204 ? 1 : 0)
    })
  }
})
