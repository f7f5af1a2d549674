import t from 'tap'
import { allow, BUCKET, type Call, OWNER, startOss } from './harness.ts'

const MINE = `/${BUCKET}/users/alice/a.txt`
const OTHERS = `/${BUCKET}/users/bob/a.txt`
const NO_LIST = allow(['oss:PutObject', 'oss:GetObject', 'oss:DeleteObject'], 'users/alice/*')

type Row = Readonly<{ client: string; input: Call; want: readonly [number, string?] }>

/** What clients send besides the plain operation, in their defaults, and the answer for a caller's own folder. */
const ROWS: readonly Row[] = [
  { client: 'Java v2, GET', input: { headers: { 'x-amz-te': 'append-md5' } }, want: [200] },
  {
    client: 'Java v2, TransferManager, initiate',
    input: {
      method: 'POST',
      query: { uploads: '' },
      headers: { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' },
    },
    want: [200],
  },
  {
    client: 'Java v1, TransferManager, first part of a download',
    input: { query: { partNumber: '1' } },
    want: [206],
  },
  { client: 'Java v1, HEAD of a part', input: { method: 'HEAD', query: { partNumber: '1' } }, want: [206] },
  { client: 'JavaScript v3, GET', input: { query: { 'x-id': 'GetObject' } }, want: [200] },
  {
    client: 'JavaScript v3 in a browser, PUT',
    input: {
      method: 'PUT',
      query: { 'x-id': 'PutObject' },
      headers: {
        'x-amz-user-agent': 'aws-sdk-js/3.1173.0',
        'amz-sdk-invocation-id': '9f5ec7f8-8b2d-4e2e-a2f6-0d9b42cf8f2e',
        'amz-sdk-request': 'attempt=1; max=3',
      },
    },
    want: [200],
  },
  {
    client: 'JavaScript v3, PUT of a buffer',
    input: {
      method: 'PUT',
      body: 'hello',
      headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': 'NhCmhg==' },
    },
    want: [200],
  },
  {
    client: 'JavaScript v3, PUT by a URL that was presigned with the default checksum, which is that of no bytes',
    input: {
      method: 'PUT',
      body: 'hello',
      presign: 60,
      query: { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': 'AAAAAA==' },
    },
    want: [400, 'BadDigest'],
  },
  { client: 'boto3, GET', input: { headers: { 'x-amz-checksum-mode': 'ENABLED' } }, want: [200] },
  {
    client: 'boto3, PUT of a file over http',
    input: {
      method: 'PUT',
      headers: { expect: '100-continue', 'x-amz-sdk-checksum-algorithm': 'CRC32' },
      unsigned: { 'content-length': '0' },
    },
    want: [200],
  },
  {
    client: 'boto3, PUT of a file over https',
    input: {
      method: 'PUT',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        'x-amz-decoded-content-length': '0',
      },
    },
    want: [501, 'NotImplemented'],
  },
  {
    client: 'Java v1, PUT',
    input: {
      method: 'PUT',
      payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      headers: { 'x-amz-decoded-content-length': '0' },
    },
    want: [501, 'NotImplemented'],
  },
  {
    client: 'minio-go, PUT with chunks',
    input: {
      method: 'PUT',
      payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      headers: { 'x-amz-decoded-content-length': '0', 'x-amz-trailer': 'x-amz-checksum-crc32c' },
    },
    want: [501, 'NotImplemented'],
  },
  {
    client: 'Go v2, PUT of a stream without a length',
    input: { method: 'PUT', payloadHash: 'UNSIGNED-PAYLOAD', unsigned: { 'transfer-encoding': 'chunked' } },
    want: [411, 'MissingContentLength'],
  },
  {
    client: 'a client that names the owner of the bucket and who pays',
    input: { headers: { 'x-amz-expected-bucket-owner': '111111111111', 'x-amz-request-payer': 'requester' } },
    want: [200],
  },
  { client: 'minio-go, GET of the only version', input: { query: { versionId: 'null' } }, want: [200] },
  {
    client: 'minio-go, DELETE of the only version',
    input: { method: 'DELETE', query: { versionId: 'null' } },
    want: [204],
  },
  {
    client: 'mc, DELETE past a lock',
    input: { method: 'DELETE', headers: { 'x-amz-bypass-governance-retention': 'true' } },
    want: [204],
  },
  {
    client: 'rclone, PUT',
    input: { method: 'PUT', headers: { 'x-amz-acl': 'private', 'x-amz-meta-mtime': '1795839441.5' } },
    want: [200],
  },
  {
    client: 's3cmd, PUT',
    input: {
      method: 'PUT',
      headers: { 'x-amz-meta-s3cmd-attrs': 'atime:1/ctime:1', 'x-amz-storage-class': 'STANDARD' },
    },
    want: [200],
  },
  { client: 'a proxy that adds a parameter', input: { query: { utm_source: 'mail', cb: '1' } }, want: [200] },
  { client: 'Kotlin, GET', input: { headers: { 'x-amz-optional-object-attributes': 'RestoreStatus' } }, want: [200] },

  {
    client: 'one that asks for another version',
    input: { query: { versionId: 'abc' } },
    want: [501, 'NotImplemented'],
  },
  { client: 'one that asks for the access list', input: { query: { acl: '' } }, want: [403, 'AccessDenied'] },
  { client: 'one that asks for tags', input: { query: { tagging: '' } }, want: [403, 'AccessDenied'] },
  ...[
    ['x-amz-acl', 'public-read'],
    ['x-amz-grant-read', 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'],
    ['x-amz-server-side-encryption', 'AES256'],
    ['x-amz-server-side-encryption-customer-algorithm', 'AES256'],
    ['x-amz-tagging', 'a=b'],
    ['x-amz-storage-class', 'GLACIER'],
    ['x-amz-object-lock-mode', 'COMPLIANCE'],
    ['x-amz-object-lock-legal-hold', 'ON'],
    ['x-amz-website-redirect-location', '/'],
    ['x-amz-write-offset-bytes', '5'],
    ['x-amz-checksum-md5', 'XUFAKrxLKna5cZ2REBfFkg=='],
  ].map(
    ([name = '', value = '']): Row => ({
      client: `one that asks for ${name}: ${value}`,
      input: { method: 'PUT', headers: { [name]: value } },
      want: [501, 'NotImplemented'],
    }),
  ),
  {
    client: 'one that deletes on a condition',
    input: { method: 'DELETE', headers: { 'x-amz-if-match-size': '5' } },
    want: [501, 'NotImplemented'],
  },
]

for (const { client, input, want } of ROWS) {
  t.test(client, async (t) => {
    const oss = await startOss(t)
    const keys = oss.session(NO_LIST)
    for (const path of [MINE, OTHERS]) oss.bucket.put(path.slice(`/${BUCKET}/`.length), Buffer.from('hello'))
    const [status, code] = want
    const answer = await oss.call({ path: MINE, keys, ...input })
    t.strictSame([answer.status, answer.code], [status, code])

    const wrong = await oss.call({ path: OTHERS, keys, ...input })
    t.equal(wrong.status, 403, 'a wrong folder looks like a wrong folder')
    if (input.method !== 'HEAD') t.equal(wrong.code, 'AccessDenied')
    t.equal(oss.bucket.get('users/bob/a.txt')?.body.toString(), 'hello')
  })
}

t.test('a bucket', async (t) => {
  const put = { method: 'PUT', path: `/${BUCKET}-2` }
  const rows: readonly Row[] = [
    { client: 'Java v1, doesBucketExistV2', input: { query: { acl: '' } }, want: [403, 'AccessDenied'] },
    { client: 'minio-go, the region', input: { query: { location: '' } }, want: [403, 'AccessDenied'] },
    { client: 'mc, versions', input: { query: { versions: '' } }, want: [403, 'AccessDenied'] },
    { client: 'mc, its locks', input: { query: { 'object-lock': '' } }, want: [403, 'AccessDenied'] },
    {
      client: 'the owner, versioning',
      input: { query: { versioning: '' }, keys: OWNER },
      want: [501, 'NotImplemented'],
    },
    {
      client: 'the owner, a list with unknown attributes',
      input: { query: { 'list-type': '2', 'x-id': 'ListObjectsV2', anything: '1' }, keys: OWNER },
      want: [200],
    },
    {
      client: 'the owner, a bucket without locks',
      input: { ...put, headers: { 'x-amz-bucket-object-lock-enabled': 'false' }, keys: OWNER },
      want: [501, 'NotImplemented'],
    },
    {
      client: 'the owner, the own bucket again, without locks',
      input: { method: 'PUT', headers: { 'x-amz-bucket-object-lock-enabled': 'False' }, keys: OWNER },
      want: [409, 'BucketAlreadyOwnedByYou'],
    },
    {
      client: 'the owner, a bucket with locks',
      input: { method: 'PUT', headers: { 'x-amz-bucket-object-lock-enabled': 'true' }, keys: OWNER },
      want: [501, 'NotImplemented'],
    },
  ]
  for (const { client, input, want } of rows) {
    t.test(client, async (t) => {
      const oss = await startOss(t)
      const { status, code } = await oss.call({ path: `/${BUCKET}`, keys: oss.session(NO_LIST), ...input })
      t.strictSame([status, code], [want[0], want[1]])
    })
  }
})
