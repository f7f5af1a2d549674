import t from 'tap'
import { BUCKET, startOss } from './harness.ts'

t.test('ranges', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('key', Buffer.from('0123456789'))
  oss.bucket.put('empty', Buffer.alloc(0))
  const rows: readonly {
    name: string
    range: string
    key?: string
    ifRange?: string
    want: readonly [number, string, string?]
  }[] = [
    { name: 'the start', range: 'bytes=0-3', want: [206, '0123', 'bytes 0-3/10'] },
    { name: 'one byte', range: 'bytes=9-9', want: [206, '9', 'bytes 9-9/10'] },
    { name: 'from the middle', range: 'bytes=7-', want: [206, '789', 'bytes 7-9/10'] },
    { name: 'the end', range: 'bytes=-2', want: [206, '89', 'bytes 8-9/10'] },
    { name: 'beyond the end', range: 'bytes=8-99', want: [206, '89', 'bytes 8-9/10'] },
    { name: 'more than the whole', range: 'bytes=-99', want: [206, '0123456789', 'bytes 0-9/10'] },
    { name: 'from after the end', range: 'bytes=10-', want: [416, 'InvalidRange'] },
    { name: 'the last 0 bytes', range: 'bytes=-0', want: [416, 'InvalidRange'] },
    { name: 'of an empty object', range: 'bytes=0-', key: 'empty', want: [416, 'InvalidRange'] },
    { name: 'backwards', range: 'bytes=5-2', want: [200, '0123456789'] },
    { name: 'several', range: 'bytes=0-1,3-4', want: [200, '0123456789'] },
    { name: 'not a range', range: 'bytes=-', want: [200, '0123456789'] },
    { name: 'another unit', range: 'lines=0-1', want: [200, '0123456789'] },
    {
      name: 'of this version',
      range: 'bytes=0-0',
      ifRange: '"781e5e245d69b566979b86e28d23f2c7"',
      want: [206, '0', 'bytes 0-0/10'],
    },
    { name: 'of another version', range: 'bytes=0-0', ifRange: '"0"', want: [200, '0123456789'] },
  ]
  for (const { name, range, key = 'key', ifRange, want } of rows) {
    t.test(name, async (t) => {
      const { status, text, code, headers } = await oss.call({
        path: `/${BUCKET}/${key}`,
        headers: { range, ...(ifRange !== undefined && { 'if-range': ifRange }) },
      })
      t.strictSame([status, code ?? text, headers['content-range']], [want[0], want[1], want[2]])
    })
  }
})

t.test('parts', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('key', Buffer.from('0123456789'))
  oss.bucket.put('empty', Buffer.alloc(0))
  oss.bucket.put('parts', Buffer.from('0123456789'), new Map(), { partSizes: [4, 5, 1] })
  oss.bucket.put('one part', Buffer.from('0123456789'), new Map(), { partSizes: [10] })
  const rows: readonly {
    key: string
    part: string
    range?: string
    want: readonly [status: number, text: string, range?: string, count?: string]
  }[] = [
    { key: 'key', part: '1', want: [206, '0123456789', 'bytes 0-9/10'] },
    { key: 'key', part: '2', want: [416, 'InvalidPartNumber'] },
    { key: 'empty', part: '1', want: [200, ''] },
    { key: 'parts', part: '1', want: [206, '0123', 'bytes 0-3/10', '3'] },
    { key: 'parts', part: '2', want: [206, '45678', 'bytes 4-8/10', '3'] },
    { key: 'parts', part: '3', want: [206, '9', 'bytes 9-9/10', '3'] },
    { key: 'one part', part: '1', want: [206, '0123456789', 'bytes 0-9/10', '1'] },
    { key: 'parts', part: '4', want: [416, 'InvalidPartNumber'] },
    { key: 'parts', part: '0', want: [400, 'InvalidArgument'] },
    { key: 'parts', part: '10001', want: [400, 'InvalidArgument'] },
    { key: 'parts', part: '', want: [400, 'InvalidArgument'] },
    { key: 'parts', part: '1', range: 'bytes=0-1', want: [400, 'InvalidRequest'] },
    { key: 'none', part: '1', want: [404, 'NoSuchKey'] },
  ]
  for (const { key, part, range, want } of rows) {
    t.test(`${part} of ${key}${range ? ' with a range' : ''}`, async (t) => {
      const call = {
        path: `/${BUCKET}/${encodeURIComponent(key)}`,
        query: { partNumber: part },
        headers: range ? { range } : {},
      }
      const { status, text, code, headers } = await oss.call(call)
      const got = [status, code ?? text, headers['content-range'], headers['x-amz-mp-parts-count']]
      t.strictSame(got, [want[0], want[1], want[2], want[3]])
      t.equal((await oss.call({ method: 'HEAD', ...call })).status, want[0])
    })
  }
})

t.test('conditions', async (t) => {
  const oss = await startOss(t)
  const { etag, lastModified } = oss.bucket.put('key', Buffer.from('0123456789'))
  const date = (ms: number) => new Date(lastModified + ms).toUTCString()
  const rows: readonly { name: string; headers: Record<string, string>; want: number }[] = [
    { name: 'the ETag is equal', headers: { 'if-match': `"${etag}"` }, want: 200 },
    { name: 'one of the ETags is equal', headers: { 'if-match': `"0", ${etag}` }, want: 200 },
    { name: 'the ETag differs', headers: { 'if-match': '"0"' }, want: 412 },
    { name: 'the object is unchanged', headers: { 'if-none-match': `"${etag}"` }, want: 304 },
    { name: 'the object exists', headers: { 'if-none-match': '*' }, want: 304 },
    { name: 'the object has changed', headers: { 'if-none-match': '"0"' }, want: 200 },
    { name: 'not modified', headers: { 'if-modified-since': date(0) }, want: 304 },
    { name: 'modified', headers: { 'if-modified-since': date(-1000) }, want: 200 },
    { name: 'unmodified', headers: { 'if-unmodified-since': date(0) }, want: 200 },
    { name: 'not unmodified', headers: { 'if-unmodified-since': date(-1000) }, want: 412 },
    { name: 'not a date', headers: { 'if-unmodified-since': 'never' }, want: 200 },
    { name: 'a tag overrides a date', headers: { 'if-match': etag, 'if-unmodified-since': date(-1000) }, want: 200 },
    {
      name: 'a tag overrides a date here too',
      headers: { 'if-none-match': '"0"', 'if-modified-since': date(0) },
      want: 200,
    },
  ]
  for (const { name, headers, want } of rows) {
    t.test(name, async (t) => {
      for (const method of ['GET', 'HEAD']) {
        const answer = await oss.call({ method, headers })
        t.equal(answer.status, want)
        if (want !== 412) t.equal(answer.headers.etag, `"${etag}"`)
        t.equal(
          answer.text,
          method === 'GET' && want === 200 ? '0123456789' : method === 'GET' && want === 412 ? answer.text : '',
        )
      }
    })
  }
})

t.test('a reader can replace response headers', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('key', Buffer.from('x'), new Map([['content-type', 'text/html']]))
  const { headers } = await oss.call({
    query: { 'response-content-type': 'text/plain', 'response-content-disposition': 'attachment; filename="a b"' },
  })
  t.match(headers, { 'content-type': 'text/plain', 'content-disposition': 'attachment; filename="a b"' })
  for (const value of ['a\r\nset-cookie: b', '中']) {
    const answer = await oss.call({ query: { 'response-content-type': value } })
    t.strictSame([answer.status, answer.code], [400, 'InvalidArgument'])
    t.notOk(answer.headers['set-cookie'])
  }
})
