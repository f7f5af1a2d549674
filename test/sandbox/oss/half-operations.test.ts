import t from 'tap'
import { allow, BUCKET, type Call, OWNER, startOss } from './harness.ts'

const TARGET = `/${BUCKET}/users/alice/a.txt`
const UPLOADER = allow(['oss:PutObject', 'oss:GetObject', 'oss:DeleteObject'], 'users/alice/*')

t.test('half of an operation is refused, not taken for another one', async (t) => {
  const rows: readonly { name: string; input: Call }[] = [
    { name: 'a part without its upload', input: { method: 'PUT', query: { partNumber: '1' } } },
    { name: 'a part without its number', input: { method: 'PUT', query: { uploadId: 'x' } } },
    { name: 'an upload in capitals', input: { method: 'PUT', query: { PARTNUMBER: '1', UPLOADID: 'x' } } },
    { name: 'the rules of a bucket', input: { method: 'PUT', query: { cors: '' } } },
    { name: 'a deletion of one part', input: { method: 'DELETE', query: { partNumber: '1' } } },
    { name: 'an old version', input: { method: 'DELETE', query: { versionId: 'abc' } } },
    { name: 'no version', input: { method: 'DELETE', query: { versionId: '' } } },
    { name: 'an access list', input: { method: 'PUT', query: { ACL: '' }, keys: OWNER } },
    { name: 'an upload that copies', input: { method: 'POST', query: { uploads: '' }, ...copying() } },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      oss.bucket.put('users/alice/a.txt', Buffer.from('old'))
      const body = input.method === 'PUT' ? 'new' : ''
      const { status, code } = await oss.call({ path: TARGET, keys: oss.session(UPLOADER), body, ...input })
      t.strictSame([status, code], [501, 'NotImplemented'])
      t.equal(oss.bucket.get('users/alice/a.txt')?.body.toString(), 'old')
      t.strictSame(oss.bucket.uploads.list(), [])
    })
  }
})

function copying(): Call {
  return { headers: { 'x-amz-copy-source': TARGET } }
}
