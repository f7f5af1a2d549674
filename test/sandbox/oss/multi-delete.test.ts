import { createHash } from 'node:crypto'
import { DeleteObjectsCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { allow, BUCKET, startOss } from './harness.ts'

const md5 = (body: string) => createHash('md5').update(body).digest('base64')
const call = (body: string, headers: Record<string, string> = { 'content-md5': md5(body) }) => ({
  method: 'POST',
  path: `/${BUCKET}`,
  query: { delete: '' },
  headers,
  body,
})

t.test('each key is authorised on its own, so objects of other users stay', async (t) => {
  const oss = await startOss(t)
  const mine = ['users/alice/1', 'users/alice/a & <b>', ' users/alice/ ']
  for (const key of [...mine, 'users/bob/1']) oss.bucket.put(key, Buffer.from('x'))
  const s3 = oss.client(oss.session(allow(['oss:DeleteObject'], 'users/alice/*')))
  const Objects = [...mine, 'users/bob/1', 'users/alice/none'].map((Key) => ({ Key }))
  const loud = await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }))
  t.strictSame(loud.Deleted, [{ Key: 'users/alice/1' }, { Key: 'users/alice/a & <b>' }, { Key: 'users/alice/none' }])
  t.strictSame(
    loud.Errors?.map(({ Key, Code }) => [Key, Code]),
    [
      [' users/alice/ ', 'AccessDenied'],
      ['users/bob/1', 'AccessDenied'],
    ],
  )
  t.strictSame(oss.bucket.keys(), [' users/alice/ ', 'users/bob/1'])
  const quiet = await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects, Quiet: true } }))
  t.strictSame([quiet.Deleted, quiet.Errors?.length], [undefined, 2])
})

t.test('versions do not exist', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('a', Buffer.from('x'))
  const { text } = await oss.call(call('<Delete><Object><Key>a</Key><VersionId>1</VersionId></Object></Delete>'))
  t.match(text, '<Key>a</Key><Code>NotImplemented</Code>')
  t.ok(oss.bucket.get('a'))
})

t.test('bodies that delete nothing', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('key', Buffer.from('x'))
  const list = (key: string, count = 1) => `<Delete>${`<Object><Key>${key}</Key></Object>`.repeat(count)}</Delete>`
  const bomb = `<!DOCTYPE d [<!ENTITY a "key"><!ENTITY b "&a;&a;">]>${list('&b;')}`
  type Row = Readonly<{ name: string; body: string; headers?: Record<string, string>; want: readonly [number, string] }>
  const malformed = [400, 'MalformedXML'] as const
  const rows: readonly Row[] = [
    { name: 'nothing', body: '', want: malformed },
    { name: 'no XML', body: '{"Delete": "key"}', want: malformed },
    { name: 'truncated', body: list('key').slice(0, -3), want: malformed },
    { name: 'another document', body: '<Remove><Object><Key>key</Key></Object></Remove>', want: malformed },
    { name: 'an empty list', body: '<Delete></Delete>', want: malformed },
    { name: 'an empty key', body: list(''), want: malformed },
    { name: 'more than a thousand', body: list('key', 1001), want: malformed },
    { name: 'a DOCTYPE bomb', body: bomb, want: malformed },
    { name: 'a DOCTYPE in small letters', body: bomb.replace('DOCTYPE', 'doctype'), want: malformed },
    {
      name: 'a file by an external entity',
      body: `<!DOCTYPE d SYSTEM "file:///etc/passwd">${list('key')}`,
      want: malformed,
    },
    { name: 'an undeclared entity', body: list('ke&none;y'), want: malformed },
    { name: 'a reference beyond Unicode', body: list('&#x110000;'), want: malformed },
    { name: 'CDATA', body: list('<![CDATA[key]]>'), want: malformed },
    {
      name: 'a name from Object.prototype',
      body: '<Delete><__proto__><Object/></__proto__></Delete>',
      want: malformed,
    },
    { name: 'too deep', body: '<a>'.repeat(5000) + '</a>'.repeat(5000), want: malformed },
    { name: 'too long', body: list(' '.repeat(1024 * 1024)), want: [400, 'MaxMessageLengthExceeded'] },
    { name: 'no digest', body: list('key'), headers: {}, want: [400, 'InvalidRequest'] },
    { name: 'another digest', body: list('key'), headers: { 'content-md5': md5('x') }, want: [400, 'BadDigest'] },
  ]
  for (const { name, body, headers, want } of rows) {
    t.test(name, async (t) => {
      const { status, code, text } = await oss.call(call(body, headers))
      t.strictSame([status, code], want)
      t.notMatch(text, 'root:')
      t.ok(oss.bucket.get('key'))
    })
  }
})

t.test('spellings of one key', async (t) => {
  const rows = ['key', '&#107;ey', '&#x6B;ey', 'k<!-- -->ey']
  for (const spelt of rows) {
    t.test(spelt, async (t) => {
      const oss = await startOss(t)
      oss.bucket.put('key', Buffer.from('x'))
      const body = `<?xml version="1.0"?>\n<s:Delete xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:Object><s:Key>${spelt}</s:Key></s:Object></s:Delete>`
      t.equal((await oss.call(call(body))).status, 200)
      t.strictSame(oss.bucket.keys(), [])
    })
  }
  t.test('a reference is read once', async (t) => {
    const oss = await startOss(t)
    oss.bucket.put('&lt;', Buffer.from('x'))
    await oss.call(call('<Delete><Object><Key>&amp;lt;</Key></Object></Delete>'))
    t.strictSame(oss.bucket.keys(), [])
  })
})
