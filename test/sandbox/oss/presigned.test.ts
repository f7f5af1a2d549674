import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import t from 'tap'
import { request } from 'undici'
import { allow, BUCKET, type Call, OWNER, startOss, type Wire } from './harness.ts'

const where = { Bucket: BUCKET, Key: 'users/alice/a b.txt' }

t.test("the SDK's presigned URLs", async (t) => {
  const oss = await startOss(t)
  const session = oss.session(allow(['oss:PutObject', 'oss:GetObject'], 'users/alice/*'))
  const s3 = oss.client(session)

  const put = await getSignedUrl(s3, new PutObjectCommand({ ...where, Metadata: { album: 'trip' } }), { expiresIn: 60 })
  t.equal((await request(put, { method: 'PUT', body: 'hello' })).statusCode, 200)
  t.equal(oss.bucket.get(where.Key)?.metadata.get('x-amz-meta-album'), 'trip', 'headers in the query have effect')

  const command = new GetObjectCommand({ ...where, ResponseContentType: 'text/plain' })
  const get = await getSignedUrl(s3, command, { expiresIn: 60 })
  const got = await request(get)
  t.equal(got.headers['content-type'], 'text/plain')
  t.equal(await got.body.text(), 'hello')

  const head = await request(await getSignedUrl(s3, new HeadObjectCommand(where)), { method: 'HEAD' })
  t.equal(head.headers['content-length'], '5')
  const gone = await getSignedUrl(s3, new DeleteObjectCommand(where))
  t.equal((await request(gone, { method: 'DELETE' })).statusCode, 403, 'without the right to delete')
  t.equal(
    (await request(await getSignedUrl(oss.client(OWNER), new DeleteObjectCommand(where)), { method: 'DELETE' }))
      .statusCode,
    204,
  )
})

t.test('a whole multipart upload by presigned URLs', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(
    oss.session(allow(['oss:PutObject', 'oss:AbortMultipartUpload', 'oss:ListMultipartUploadParts'], 'users/alice/*')),
  )
  const send = async (method: 'POST' | 'PUT' | 'GET' | 'DELETE', url: string, body?: string) => {
    const answer = await request(url, { method, ...(body !== undefined && { body }) })
    return { status: answer.statusCode, etag: String(answer.headers.etag), text: await answer.body.text() }
  }
  const create = await getSignedUrl(s3, new CreateMultipartUploadCommand({ ...where, ContentType: 'video/mp4' }))
  t.match(create, /[?&]uploads=/u)
  const upload = async () => ({
    ...where,
    UploadId: /<UploadId>(\w+)</u.exec((await send('POST', create)).text)?.[1] ?? '',
  })
  const first = await upload()
  const part = await getSignedUrl(s3, new UploadPartCommand({ ...first, PartNumber: 1 }))
  const { etag } = await send('PUT', part, 'part')
  t.match((await send('GET', await getSignedUrl(s3, new ListPartsCommand(first)))).text, '<PartNumber>1</PartNumber>')
  t.equal((await send('PUT', part.replace('partNumber=1', 'partNumber=2'), 'part')).status, 403)

  const complete = await getSignedUrl(s3, new CompleteMultipartUploadCommand(first))
  const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
  t.equal((await send('POST', complete.replace(first.UploadId, 'other'), document)).status, 403)
  t.equal((await send('POST', complete, document)).status, 200)
  t.equal(oss.bucket.get(where.Key)?.body.toString(), 'part')

  const second = await upload()
  const abort = await getSignedUrl(s3, new AbortMultipartUploadCommand(second))
  t.equal((await send('DELETE', abort.replace(second.UploadId, first.UploadId))).status, 403)
  t.equal((await send('DELETE', abort)).status, 204)
  t.strictSame(oss.bucket.uploads.list(), [])
  oss.time.now += 901_000
  t.match(await send('POST', create), { status: 403, text: 'Request has expired' })
})

t.test('headers that a URL signs must be sent as they are', async (t) => {
  const oss = await startOss(t)
  const md5 = 'XUFAKrxLKna5cZ2REBfFkg=='
  const signed = { 'content-type': 'image/png', 'content-md5': md5, 'content-length': '5' }
  const without = (name: string) => Object.fromEntries(Object.entries(signed).filter(([one]) => one !== name))
  const wire = oss.sign({ method: 'PUT', presign: 60, headers: signed })
  const { host = '' } = wire.headers
  const rows: readonly {
    name: string
    headers: Record<string, string>
    body?: string
    want: readonly [number, string?]
  }[] = [
    { name: 'as they are', headers: signed, want: [200] },
    { name: 'another type', headers: { ...signed, 'content-type': 'text/html' }, want: [403, 'SignatureDoesNotMatch'] },
    { name: 'no type', headers: without('content-type'), want: [403, 'SignatureDoesNotMatch'] },
    { name: 'no MD5', headers: without('content-md5'), want: [403, 'SignatureDoesNotMatch'] },
    { name: 'another body', headers: signed, body: 'hallo', want: [400, 'BadDigest'] },
    {
      name: 'a longer body',
      headers: { ...signed, 'content-length': '6' },
      body: 'hello!',
      want: [403, 'SignatureDoesNotMatch'],
    },
  ]
  for (const { name, headers, body = 'hello', want } of rows) {
    t.test(name, async (t) => {
      const { status, code } = await oss.send('PUT', { ...wire, headers: { host, ...headers }, body })
      t.strictSame([status, code], [want[0], want[1]])
    })
  }
})

const parameter = (name: string, value: string) => (wire: Wire) => {
  const query = new URLSearchParams(wire.query)
  query.set(name, value)
  return { ...wire, query: query.toString() }
}
const without = (name: string) => (wire: Wire) => {
  const query = new URLSearchParams(wire.query)
  query.delete(name)
  return { ...wire, query: query.toString() }
}

t.test('a presigned URL works only for its signed request', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('key', Buffer.from('hello'))
  const start = Math.floor(oss.time.now / 1000) * 1000
  const query = (input: Call): Call => ({ presign: 60, ...input })
  type Row = Readonly<{ name: string; input: Call; later?: number; want: readonly [number, string?] }>
  const rows: readonly Row[] = [
    { name: 'unchanged', input: query({}), want: [200] },
    { name: 'in the last second', input: query({}), later: 59_999, want: [200] },
    { name: 'expired', input: query({}), later: 60_000, want: [403, 'AccessDenied'] },
    { name: 'from the future', input: query({ at: start + 16 * 60_000 }), want: [403, 'AccessDenied'] },
    { name: 'older than the skew', input: query({ presign: 604_800 }), later: 604_799_000, want: [200] },
    {
      name: 'another key',
      input: query({ tamper: (wire) => ({ ...wire, path: `/${BUCKET}/other` }) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'another expiry',
      input: query({ tamper: parameter('X-Amz-Expires', '6000') }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'another date',
      input: query({ tamper: parameter('X-Amz-Date', '20260101T000000Z') }),
      later: 1,
      want: [400, 'AuthorizationQueryParametersError'],
    },
    {
      name: 'no expiry',
      input: query({ tamper: without('X-Amz-Expires') }),
      want: [400, 'AuthorizationQueryParametersError'],
    },
    {
      name: 'no signature',
      input: query({ tamper: without('X-Amz-Signature') }),
      want: [400, 'AuthorizationQueryParametersError'],
    },
    { name: 'an empty expiry', input: query({ presign: 0 }), want: [400, 'AuthorizationQueryParametersError'] },
    {
      name: 'an expiry over a week',
      input: query({ presign: 604_801 }),
      want: [400, 'AuthorizationQueryParametersError'],
    },
    {
      name: 'an expiry that is not a number',
      input: query({ tamper: parameter('X-Amz-Expires', '1e3') }),
      want: [400, 'AuthorizationQueryParametersError'],
    },
    { name: 'another region', input: query({ region: 'us-east-1' }), want: [400, 'AuthorizationQueryParametersError'] },
    { name: 'a subresource', input: query({ tamper: parameter('acl', '') }), want: [403, 'SignatureDoesNotMatch'] },
    {
      name: 'a header that turns it into a copy',
      input: query({ method: 'PUT', unsigned: { 'x-amz-copy-source': `/${BUCKET}/key` } }),
      want: [403, 'AccessDenied'],
    },
    {
      name: 'a parameter that turns it into a copy',
      input: query({ method: 'PUT', tamper: parameter('X-Amz-Copy-Source', `/${BUCKET}/key`) }),
      want: [403, 'SignatureDoesNotMatch'],
    },
    {
      name: 'a header in both places',
      input: query({ query: { 'x-amz-meta-a': '1' }, headers: { 'x-amz-meta-a': '2' } }),
      want: [400, 'InvalidArgument'],
    },
    {
      name: 'a body with another hash than the signed one',
      input: query({
        method: 'PUT',
        query: { 'X-Amz-Content-Sha256': '0'.repeat(64) },
        payloadHash: '0'.repeat(64),
        body: 'x',
      }),
      want: [400, 'XAmzContentSHA256Mismatch'],
    },
  ]
  for (const { name, input, later = 0, want } of rows) {
    t.test(name, async (t) => {
      oss.time.now = start
      const wire = oss.sign({ at: start, ...input })
      oss.time.now = start + later
      const { status, code } = await oss.send(input.method ?? 'GET', wire)
      t.strictSame([status, code], [want[0], want[1]])
      oss.bucket.put('key', Buffer.from('hello'))
    })
  }

  t.test('signed for GET, sent as DELETE', async (t) => {
    oss.time.now = start
    const { status, code } = await oss.send('DELETE', oss.sign({ presign: 60 }))
    t.strictSame([status, code], [403, 'SignatureDoesNotMatch'])
    t.ok(oss.bucket.get('key'))
  })

  t.test('of an expired session', async (t) => {
    oss.time.now = start
    const wire = oss.sign({ presign: 7200, keys: oss.session() })
    t.equal((await oss.send('GET', wire)).status, 200)
    oss.time.now = start + 3_600_000
    t.equal((await oss.send('GET', wire)).code, 'ExpiredToken')
  })

  t.test('signed by a caller without the right', async (t) => {
    oss.time.now = start
    const keys = oss.session(allow(['oss:PutObject'], '*'))
    t.equal((await oss.call({ presign: 60, keys })).code, 'AccessDenied')
    t.equal((await oss.call({ presign: 60, keys: OWNER })).text, 'hello')
  })
})
