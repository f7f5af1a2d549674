import { createHash } from 'node:crypto'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import fc from 'fast-check'
import t from 'tap'
import { encodeKey, keyFault } from '../../src/oss/object-key.ts'
import { presignUrl, type SignableOperation } from '../../src/oss/presigned-url.ts'
import { allow, BUCKET, OWNER, startOss } from '../sandbox/oss/harness.ts'

/** Keys in any script, with every character that means something in a URL or a signature. */
const special = fc.constantFrom(...' +%&=?#/\\\'"()*!~;:@,$<>[]{}|^`._-')
const keys = fc
  .string({
    unit: fc.oneof(special, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
    minLength: 1,
    maxLength: 40,
  })
  .filter((key) => keyFault(key) === undefined)

const OPERATIONS: readonly { what: SignableOperation; method: string; query: Record<string, string> }[] = [
  { what: { operation: 'PutObject' }, method: 'PUT', query: {} },
  { what: { operation: 'GetObject' }, method: 'GET', query: {} },
  { what: { operation: 'HeadObject' }, method: 'HEAD', query: {} },
  { what: { operation: 'DeleteObject' }, method: 'DELETE', query: {} },
  { what: { operation: 'CreateMultipartUpload' }, method: 'POST', query: { uploads: '' } },
  {
    what: { operation: 'UploadPart', uploadId: 'a+b/c=', partNumber: 7 },
    method: 'PUT',
    query: { partNumber: '7', uploadId: 'a+b/c=' },
  },
  { what: { operation: 'CompleteMultipartUpload', uploadId: 'u 1' }, method: 'POST', query: { uploadId: 'u 1' } },
  { what: { operation: 'AbortMultipartUpload', uploadId: "u*'" }, method: 'DELETE', query: { uploadId: "u*'" } },
]

t.test('a URL is signed as an implementation that shares no code signs it', async (t) => {
  const oss = await startOss(t)
  const session = oss.session(allow(['oss:PutObject'], '*'))
  const store = { endpoint: oss.url, region: oss.world.region, bucket: BUCKET }
  const at = Math.floor(oss.time.now / 1000) * 1000
  const parameters = (query: string) => [...new URLSearchParams(query)].sort()
  fc.assert(
    fc.property(keys, fc.constantFrom(...OPERATIONS), (key, { what, method, query }) => {
      const ours = new URL(presignUrl(store, session, what, { key, at, expiresSeconds: 60 }))
      const theirs = oss.sign({ method, path: `/${BUCKET}/${encodeKey(key)}`, query, presign: 60, at, keys: session })
      t.equal(ours.pathname, theirs.path)
      t.strictSame(parameters(ours.search), parameters(theirs.query))
    }),
    { numRuns: 500 },
  )
})

t.test('a key is encoded as the AWS SDK encodes it', async (t) => {
  const { accessKey, secretKey } = OWNER
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  const store = { endpoint: 'https://s3.example.test', region: 'cn-north-1', bucket: BUCKET }
  const s3 = new S3Client({ ...store, forcePathStyle: true, credentials })
  t.teardown(() => s3.destroy())
  await fc.assert(
    fc.asyncProperty(keys, async (key) => {
      const ours = presignUrl(store, OWNER, { operation: 'GetObject' }, { key, at: 0, expiresSeconds: 60 })
      const theirs = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: key }))
      return ours.split('?')[0] === theirs.split('?')[0]
    }),
    { numRuns: 200 },
  )
})

t.test('a signed URL works for a permitted key in any script, and for no other', async (t) => {
  const oss = await startOss(t)
  const session = oss.session(allow(['oss:PutObject', 'oss:GetObject', 'oss:DeleteObject'], 'users/alice/*'))
  const store = { endpoint: oss.url, region: oss.world.region, bucket: BUCKET }
  await fc.assert(
    fc.asyncProperty(keys, async (suffix) => {
      const sign = (operation: 'PutObject' | 'GetObject', key: string) =>
        presignUrl(store, session, { operation }, { key, at: oss.time.now, expiresSeconds: 60 })
      const key = `users/alice/${suffix}`
      if (keyFault(key) !== undefined) return
      const put = sign('PutObject', key)
      t.equal((await fetch(put, { method: 'PUT', body: suffix })).status, 200, put)
      t.equal(oss.bucket.get(key)?.body.toString(), suffix)
      t.equal(await (await fetch(sign('GetObject', key))).text(), suffix)
      t.equal((await fetch(sign('PutObject', `users/bob/${suffix}`), { method: 'PUT', body: '' })).status, 403)
    }),
    { numRuns: 100 },
  )
})

t.test('signed headers must be sent as they were signed', async (t) => {
  const oss = await startOss(t)
  const session = oss.session(allow(['oss:PutObject'], '*'))
  const store = { endpoint: oss.url, region: oss.world.region, bucket: BUCKET }
  const headers = { 'content-type': 'image/png', 'content-md5': createHash('md5').update('x').digest('base64') }
  const url = presignUrl(
    store,
    session,
    { operation: 'PutObject' },
    { key: 'a.png', headers, at: oss.time.now, expiresSeconds: 60 },
  )
  const send = async (sent: Record<string, string>) =>
    (await fetch(url, { method: 'PUT', headers: sent, body: 'x' })).status
  t.equal(await send({ ...headers, 'content-type': 'text/html' }), 403)
  t.equal(await send({ 'content-type': 'image/png' }), 403)
  t.equal(await send({ ...headers, 'x-amz-meta-more': '1' }), 403)
  t.equal((await fetch(url, { method: 'PUT', headers, body: 'x' })).status, 200)
  t.equal(oss.bucket.get('a.png')?.metadata.get('content-type'), 'image/png')
})
