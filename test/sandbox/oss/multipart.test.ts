import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import t from 'tap'
import { allow, BUCKET, OWNER, outcome, startOss } from './harness.ts'

const MIB = 1024 * 1024
const where = { Bucket: BUCKET, Key: 'users/alice/big' }

t.test('the SDK uploads in parts with only the right to put', async (t) => {
  const oss = await startOss(t)
  const client = oss.client(oss.session(allow(['oss:PutObject'], 'users/alice/*')))
  const Body = Buffer.alloc(11 * MIB, 'abc')
  const params = { ...where, Body, ContentType: 'video/mp4', Metadata: { a: '1' } }
  const done = await new Upload({ client, params, partSize: 5 * MIB }).done()
  const stored = oss.bucket.get(where.Key)
  t.ok(stored?.body.equals(Body))
  t.match(stored?.etag, /^[0-9a-f]{32}-3$/u)
  t.equal(done.ETag, `"${stored?.etag}"`)
  t.strictSame(
    [...(stored?.metadata ?? [])],
    [
      ['content-type', 'video/mp4'],
      ['x-amz-meta-a', '1'],
    ],
  )
  t.strictSame(oss.bucket.uploads.list(), [])
})

t.test('the ETag of an upload is the MD5 of the MD5s of its parts', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(where))
  const { ETag } = await s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: 'hello' }))
  const parts = { Parts: [{ PartNumber: 1, ETag }] }
  const done = await s3.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: parts }))
  // printf hello | md5sum | xxd -r -p | md5sum
  t.equal(done.ETag, '"62109206880d38a4010a98e11243924a-1"')
})

t.test('a refused completion changes nothing and can be repeated', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(where))
  const put = async (PartNumber: number, Body: Buffer) =>
    (await s3.send(new UploadPartCommand({ ...where, UploadId, PartNumber, Body }))).ETag ?? ''
  const one = { PartNumber: 1, ETag: await put(1, Buffer.alloc(5 * MIB, 'a')) }
  const small = { PartNumber: 2, ETag: await put(2, Buffer.from('b')) }
  const three = { PartNumber: 3, ETag: await put(3, Buffer.from('c')) }

  const rows = [
    { name: 'no parts', Parts: [], want: '400 MalformedXML' },
    { name: 'parts in disorder', Parts: [three, one], want: '400 InvalidPartOrder' },
    { name: 'a part twice', Parts: [one, one], want: '400 InvalidPartOrder' },
    { name: 'a part that was not sent', Parts: [one, { ...three, PartNumber: 4 }], want: '400 InvalidPart' },
    { name: "another part's ETag", Parts: [{ ...one, ETag: three.ETag }], want: '400 InvalidPart' },
    { name: 'a small part in the middle', Parts: [one, small, three], want: '400 EntityTooSmall' },
    { name: 'another upload', Parts: [one], UploadId: 'none', want: '404 NoSuchUpload' },
    { name: "another key's upload", Parts: [one], Key: 'users/bob/big', want: '404 NoSuchUpload' },
  ]
  for (const { name, Parts, want, ...other } of rows) {
    t.test(name, async (t) => {
      const command = new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts }, ...other })
      t.equal(await outcome(s3.send(command)), want)
      t.strictSame(oss.bucket.keys(), [])
    })
  }

  await t.test('if an object exists', async (t) => {
    const other = { ...where, Key: 'other' }
    oss.bucket.put('other', Buffer.from('x'))
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(other))
    const { ETag } = await s3.send(new UploadPartCommand({ ...other, UploadId, PartNumber: 1, Body: 'y' }))
    const command = { ...other, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] }, IfNoneMatch: '*' }
    t.equal(await outcome(s3.send(new CompleteMultipartUploadCommand(command))), '412 PreconditionFailed')
    oss.bucket.delete('other')
    oss.bucket.uploads.end(UploadId ?? '')
  })

  const done = { ...where, UploadId, MultipartUpload: { Parts: [one, three] } }
  t.equal(await outcome(s3.send(new CompleteMultipartUploadCommand(done))), 'ok')
  t.equal(oss.bucket.get(where.Key)?.body.length, 5 * MIB + 1, 'an unlisted part is left out')
  t.equal(await outcome(s3.send(new CompleteMultipartUploadCommand(done))), '404 NoSuchUpload')
})

t.test('parts', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(where))
  oss.bucket.put('source', Buffer.from('0123456789'))
  const copy = { ...where, UploadId, CopySource: `${BUCKET}/source` }
  const part = { ...where, UploadId, Body: 'x' }

  t.equal(await outcome(s3.send(new UploadPartCommand({ ...part, PartNumber: 0 }))), '400 InvalidArgument')
  t.equal(await outcome(s3.send(new UploadPartCommand({ ...part, PartNumber: 10_001 }))), '400 InvalidArgument')
  t.equal(await outcome(s3.send(new UploadPartCommand({ ...part, PartNumber: 1, UploadId: 'x' }))), '404 NoSuchUpload')
  const range = (CopySourceRange: string) => new UploadPartCopyCommand({ ...copy, PartNumber: 3, CopySourceRange })
  t.equal(await outcome(s3.send(range('bytes=5-10'))), '416 InvalidRange')
  t.equal(await outcome(s3.send(range('bytes=5-'))), '400 InvalidArgument')
  t.strictSame((await s3.send(new ListPartsCommand({ ...where, UploadId }))).Parts, undefined)

  await s3.send(new UploadPartCopyCommand({ ...copy, PartNumber: 7 }))
  await s3.send(range('bytes=2-4'))
  await s3.send(new UploadPartCommand({ ...part, PartNumber: 10_000 }))
  const first = await s3.send(new ListPartsCommand({ ...where, UploadId, MaxParts: 2 }))
  t.strictSame(
    first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
    [
      [3, 3],
      [7, 10],
    ],
  )
  t.match(first, { IsTruncated: true, NextPartNumberMarker: '7' })
  const rest = await s3.send(new ListPartsCommand({ ...where, UploadId, PartNumberMarker: first.NextPartNumberMarker }))
  t.match(rest, { IsTruncated: false, Parts: [{ PartNumber: 10_000, ETag: '"9dd4e461268c8034f5c8564e155c67a6"' }] })
  t.equal(await outcome(s3.send(new GetObjectCommand(where))), '404 NoSuchKey', 'parts alone are not an object')
})

t.test('uploads are listed by key and age, and aborted', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  const ids: (string | undefined)[] = []
  for (const Key of ['b', 'a', 'b', 'c/d']) {
    oss.time.now += 1000
    ids.push((await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }))).UploadId)
  }
  const [b1, a, b2, cd] = ids
  const list = async (input: object) => {
    const page = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, ...input }))
    return { ...page, ids: page.Uploads?.map(({ UploadId }) => UploadId) }
  }
  t.strictSame((await list({})).ids, [a, b1, b2, cd])
  t.strictSame((await list({ Prefix: 'c/' })).ids, [cd])
  const first = await list({ MaxUploads: 2 })
  t.strictSame([first.ids, first.NextKeyMarker, first.NextUploadIdMarker], [[a, b1], 'b', b1])
  t.strictSame((await list({ KeyMarker: 'b', UploadIdMarker: b1 })).ids, [b2, cd])
  t.strictSame((await list({ KeyMarker: 'b' })).ids, [cd])

  const abort = (Key: string, UploadId: string | undefined) =>
    outcome(s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId })))
  t.equal(await abort('a', b1), '404 NoSuchUpload', 'an upload works only with its own key')
  t.equal(await abort('b', b1), 'ok')
  t.equal(await abort('b', b1), '404 NoSuchUpload')
  t.strictSame((await list({})).ids, [a, b2, cd])
})

t.test('each step needs its own right for the key', async (t) => {
  const oss = await startOss(t)
  const { id } = oss.bucket.uploads.create('users/bob/big', new Map())
  const path = `/${BUCKET}/users/bob/big`
  const own = oss.session(allow(['oss:*'], 'users/alice/*'))
  const rows = [
    { name: 'create', method: 'POST', query: { uploads: '' } },
    { name: 'upload a part', method: 'PUT', query: { partNumber: '1', uploadId: id } },
    { name: 'complete', method: 'POST', query: { uploadId: id } },
    { name: 'abort', method: 'DELETE', query: { uploadId: id } },
    { name: 'list parts', method: 'GET', query: { uploadId: id } },
  ]
  for (const { name, method, query } of rows) {
    t.test(`${name}, for another user`, async (t) => {
      t.equal((await oss.call({ method, path, query, keys: own })).code, 'AccessDenied')
      t.equal(oss.bucket.uploads.list().length, 1)
    })
    t.test(`${name}, through the caller's own key`, async (t) => {
      if (name === 'create') return
      const { code } = await oss.call({
        method,
        path: `/${BUCKET}/users/alice/big`,
        query,
        keys: own,
        body: method === 'POST' ? completion : '',
      })
      t.equal(code, 'NoSuchUpload')
      t.equal(oss.bucket.uploads.list().length, 1)
    })
  }
  const put = oss.session(allow(['oss:PutObject'], '*'))
  t.equal((await oss.call({ method: 'DELETE', path, query: { uploadId: id }, keys: put })).code, 'AccessDenied')
  t.equal((await oss.call({ path, query: { uploadId: id }, keys: put })).code, 'AccessDenied')
  t.equal((await oss.call({ path: `/${BUCKET}`, query: { uploads: '' }, keys: put })).code, 'AccessDenied')
})

const completion =
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>0</ETag></Part></CompleteMultipartUpload>'
