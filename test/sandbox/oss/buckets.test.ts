import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
} from '@aws-sdk/client-s3'
import t from 'tap'
import { createOssHandler } from '../../../sandbox/oss/handler.ts'
import { createWorld } from '../../../sandbox/world.ts'
import { listen } from '../../helpers/listen.ts'
import { BUCKET, OWNER, outcome, startOss } from './harness.ts'

t.test('a bucket can be created, used and deleted', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  const where = { Bucket: BUCKET }
  const names = async () => (await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)
  t.strictSame(await names(), [BUCKET])
  t.equal((await s3.send(new HeadBucketCommand(where))).BucketRegion, 'cn-north-1')
  t.equal((await s3.send(new GetBucketLocationCommand(where))).LocationConstraint, 'cn-north-1')
  t.equal(await outcome(s3.send(new HeadBucketCommand({ Bucket: 'other' }))), '404 NotFound')
  t.equal(await outcome(s3.send(new CreateBucketCommand(where))), '409 BucketAlreadyOwnedByYou')
  t.equal(await outcome(s3.send(new CreateBucketCommand({ Bucket: 'other' }))), '501 NotImplemented')

  oss.bucket.put('key', Buffer.from('x'))
  t.equal(await outcome(s3.send(new DeleteBucketCommand(where))), '409 BucketNotEmpty')
  oss.bucket.delete('key')
  t.equal(await outcome(s3.send(new DeleteBucketCommand(where))), 'ok')
  t.equal(await outcome(s3.send(new DeleteBucketCommand(where))), '404 NoSuchBucket')
  t.strictSame(await names(), [])
  t.equal(await outcome(s3.send(new CreateBucketCommand(where))), 'ok')
  t.strictSame(await names(), [BUCKET])
})

t.test('an unknown operation is refused, never taken for another one', async (t) => {
  const object = `/${BUCKET}/key`
  const rows: readonly { method: string; path: string; query: string; want: readonly [number, string] }[] = [
    ...['acl', 'tagging', 'legal-hold', 'retention', 'torrent', 'versionId', 'partNumber', 'uploadId', 'ACL'].flatMap(
      (query) =>
        ['PUT', 'GET', 'DELETE', 'HEAD'].map((method) => ({
          method,
          path: object,
          query,
          want: [501, 'NotImplemented'] as const,
        })),
    ),
    ...['acl', 'policy', 'versioning', 'versions', 'lifecycle', 'website', 'encryption', 'replication'].flatMap(
      (query) =>
        ['PUT', 'GET', 'DELETE'].map((method) => ({
          method,
          path: `/${BUCKET}`,
          query,
          want: [501, 'NotImplemented'] as const,
        })),
    ),
    { method: 'POST', path: object, query: 'restore', want: [501, 'NotImplemented'] },
    { method: 'POST', path: object, query: '', want: [405, 'MethodNotAllowed'] },
    { method: 'PATCH', path: object, query: '', want: [405, 'MethodNotAllowed'] },
    { method: 'POST', path: '/', query: '', want: [405, 'MethodNotAllowed'] },
    { method: 'PUT', path: '/', query: '', want: [405, 'MethodNotAllowed'] },
  ]
  for (const { method, path, query, want } of rows.filter(
    (row) => !(/^(?:uploadId|partNumber)$/u.test(row.query) && /GET|DELETE|HEAD/u.test(row.method)),
  )) {
    t.test(`${method} ${path}?${query}`, async (t) => {
      const oss = await startOss(t)
      oss.bucket.put('key', Buffer.from('old'))
      const call = {
        method,
        path,
        body: /PUT|POST|PATCH/u.test(method) ? 'new' : '',
        ...(query && { query: { [query]: '' } }),
      }
      const { status, code } = await oss.call(call)
      t.strictSame([status, code], method === 'HEAD' ? [want[0], undefined] : want)
      t.equal(oss.bucket.get('key')?.body.toString(), 'old')
      const stranger = await oss.call({ ...call, keys: { accessKey: 'nobody', secretKey: 'x' } })
      t.equal(stranger.status, 403, 'strangers do not learn which buckets exist')
    })
  }
})

t.test('a refusal is a document with a request id; HEAD shows only its status', async (t) => {
  const oss = await startOss(t)
  const get = await oss.call({ path: `/${BUCKET}/a%26b`, presign: 60 })
  t.match(get.headers['x-amz-request-id'], /^[0-9A-F]{16}$/u)
  t.equal(
    get.text,
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Resource>/test-app/a%26b</Resource><RequestId>${get.headers['x-amz-request-id']}</RequestId></Error>`,
  )
  const head = await oss.call({ method: 'HEAD' })
  t.strictSame([head.status, head.text], [404, ''])
  t.match(head.headers['x-amz-request-id'], /^[0-9A-F]{16}$/u)
  t.not(head.headers['x-amz-request-id'], get.headers['x-amz-request-id'])
})

t.test('an exception is an InternalError without detail, and the server continues', async (t) => {
  const seen: unknown[] = []
  const bug = new Error('secret detail')
  const world = createWorld()
  const broken = {
    ...world,
    get users(): never {
      throw bug
    },
  }
  const url = await listen(t, createOssHandler(broken, { onInternalError: (error) => seen.push(error) }))
  const oss = await startOss(t)
  for (let i = 1; i <= 2; i++) {
    const answer = await fetch(`${url}/${BUCKET}/key`, { headers: withoutHost(oss.sign({ keys: OWNER }).headers) })
    const text = await answer.text()
    t.equal(answer.status, 500)
    t.match(text, '<Code>InternalError</Code>')
    t.notMatch(text, 'secret')
    t.strictSame(seen, Array(i).fill(bug))
  }
})

const withoutHost = ({ host: _, ...headers }: Readonly<Record<string, string>>) => headers
