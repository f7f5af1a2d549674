import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import t from 'tap'
import { BUCKET, OWNER, outcome, startOss } from './harness.ts'

const at = (Key: string) => ({ Bucket: BUCKET, Key })

t.test('a GET returns the object that was put', async (t) => {
  const oss = await startOss(t)
  oss.time.now = Math.floor(oss.time.now / 1000) * 1000
  for (const forcePathStyle of [true, false]) {
    t.test(forcePathStyle ? 'path style' : 'virtual host style', async (t) => {
      const endpoint = oss.url.replace('127.0.0.1', 's3.cn-north-1.jdcloud-oss.com')
      const s3 = oss.client(OWNER, { forcePathStyle, endpoint })
      const where = at(`users/alice/ä b+c&d=e?f#g%2F${forcePathStyle}.txt`)
      const put = await s3.send(
        new PutObjectCommand({
          ...where,
          Body: 'hello',
          ContentType: 'text/plain',
          CacheControl: 'no-cache',
          ContentDisposition: 'attachment; filename="a.txt"',
          ContentEncoding: 'identity',
          ContentLanguage: 'en',
          Metadata: { owner: 'alice', constructor: 'yes' },
        }),
      )
      t.equal(put.ETag, '"5d41402abc4b2a76b9719d911017c592"')
      t.strictSame([...oss.bucket.keys()], [where.Key])
      const got = await s3.send(new GetObjectCommand(where))
      t.equal(await got.Body?.transformToString(), 'hello')
      const want = {
        ContentType: 'text/plain',
        CacheControl: 'no-cache',
        ContentDisposition: 'attachment; filename="a.txt"',
        ContentEncoding: 'identity',
        ContentLanguage: 'en',
        ContentLength: 5,
        AcceptRanges: 'bytes',
        ETag: put.ETag,
        LastModified: new Date(oss.time.now),
        Metadata: { owner: 'alice', constructor: 'yes' },
      }
      t.match(got, want)
      t.match(await s3.send(new HeadObjectCommand(where)), want)
      t.equal((await s3.send(new DeleteObjectCommand(where))).$metadata.httpStatusCode, 204)
      t.equal(await outcome(s3.send(new GetObjectCommand(where))), '404 NoSuchKey')
      t.equal(await outcome(s3.send(new HeadObjectCommand(where))), '404 NotFound')
      t.equal(await outcome(s3.send(new DeleteObjectCommand(where))), 'ok')
    })
  }
})

t.test('conditions and headers of a write', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('there', Buffer.from('old'))
  const rows: readonly {
    name: string
    key: string
    headers: Record<string, string>
    want: readonly [number, string?]
  }[] = [
    { name: 'to create only', key: 'new', headers: { 'if-none-match': '*' }, want: [200] },
    {
      name: 'to create an existing object',
      key: 'there',
      headers: { 'if-none-match': '*' },
      want: [412, 'PreconditionFailed'],
    },
    { name: 'if the ETag differs', key: 'there', headers: { 'if-none-match': '"0"' }, want: [501, 'NotImplemented'] },
    { name: 'if the ETag is equal', key: 'there', headers: { 'if-match': '"0"' }, want: [501, 'NotImplemented'] },
    { name: 'a private object', key: 'new', headers: { 'x-amz-acl': 'private' }, want: [200] },
    { name: 'a public object', key: 'there', headers: { 'x-amz-acl': 'public-read' }, want: [501, 'NotImplemented'] },
    {
      name: 'encryption',
      key: 'there',
      headers: { 'x-amz-server-side-encryption': 'AES256' },
      want: [501, 'NotImplemented'],
    },
    { name: 'tags', key: 'there', headers: { 'x-amz-tagging': 'a=b' }, want: [501, 'NotImplemented'] },
    { name: '2 KiB of metadata', key: 'new', headers: { 'x-amz-meta-a': 'a'.repeat(2047) }, want: [200] },
    {
      name: 'more metadata',
      key: 'there',
      headers: { 'x-amz-meta-a': 'a'.repeat(2048) },
      want: [400, 'MetadataTooLarge'],
    },
  ]
  for (const { name, key, headers, want } of rows) {
    t.test(name, async (t) => {
      const { status, code } = await oss.call({ method: 'PUT', path: `/${BUCKET}/${key}`, headers, body: 'new' })
      t.strictSame([status, code], [want[0], want[1]])
      t.equal(oss.bucket.get(key)?.body.toString(), key === 'there' ? 'old' : 'new')
    })
  }
})

t.test('copies', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  oss.bucket.put(
    'a b',
    Buffer.from('hello'),
    new Map([
      ['content-type', 'text/plain'],
      ['x-amz-meta-a', '1'],
    ]),
  )
  const CopySource = `${BUCKET}/a%20b`

  const copied = await s3.send(new CopyObjectCommand({ ...at('copy'), CopySource }))
  t.equal(copied.CopyObjectResult?.ETag, '"5d41402abc4b2a76b9719d911017c592"')
  t.match(await s3.send(new HeadObjectCommand(at('copy'))), { ContentType: 'text/plain', Metadata: { a: '1' } })

  const replace = { CopySource, MetadataDirective: 'REPLACE', ContentType: 'image/png', Metadata: { b: '2' } } as const
  await s3.send(new CopyObjectCommand({ ...at('a b'), ...replace }))
  const { ContentType, Metadata } = await s3.send(new HeadObjectCommand(at('a b')))
  t.strictSame({ ContentType, Metadata }, { ContentType: 'image/png', Metadata: { b: '2' } })

  const rows = [
    { name: 'onto itself', input: { ...at('a b'), CopySource }, want: '400 InvalidRequest' },
    { name: 'of nothing', input: { ...at('c'), CopySource: `${BUCKET}/none` }, want: '404 NoSuchKey' },
    { name: 'from nowhere', input: { ...at('c'), CopySource: 'nowhere/a' }, want: '404 NoSuchBucket' },
    { name: 'of a bucket', input: { ...at('c'), CopySource: BUCKET }, want: '400 InvalidArgument' },
    {
      name: 'of a version',
      input: { ...at('c'), CopySource: `${CopySource}?versionId=1` },
      want: '501 NotImplemented',
    },
    {
      name: 'with a condition that does not hold',
      input: { ...at('c'), CopySource, CopySourceIfMatch: '"0"' },
      want: '412 PreconditionFailed',
    },
    {
      name: 'onto an existing object',
      input: { ...at('copy'), CopySource, IfNoneMatch: '*' },
      want: '412 PreconditionFailed',
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      t.equal(await outcome(s3.send(new CopyObjectCommand(input))), want)
      t.strictSame(oss.bucket.keys(), ['a b', 'copy'])
    })
  }
})
