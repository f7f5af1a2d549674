import t from 'tap'
import { startSigning, submit } from './harness.ts'

t.test('a form uploads one key within its size', async (t) => {
  const { posts, bucket, logs } = await startSigning(t)
  const key = 'users/alice/图 1.png'
  const { posts: signed, ...life } = await posts({ policy: 'user-upload', key, minBytes: 2, maxBytes: 5 })
  t.equal(life.expiresInSeconds, 900)
  const [form, ...more] = signed
  if (!form) throw new Error('no form')
  t.strictSame(more, [])
  t.equal(form.contentType, undefined)
  const rows = [
    { name: 'too little', body: '1', want: '400 EntityTooSmall' },
    { name: 'the least', body: '12', want: '204' },
    { name: 'the most', body: '12345', want: '204' },
    { name: 'one byte too many', body: '123456', want: '400 EntityTooLarge' },
    { name: 'another key', body: '12', more: { key: 'users/alice/2' }, want: '403 AccessDenied' },
    { name: 'a type', body: '12', more: { 'content-type': 'text/html' }, want: '403 AccessDenied' },
    { name: 'a public object', body: '12', more: { acl: 'public-read' }, want: '403 AccessDenied' },
  ]
  for (const { name, body, more, want } of rows) t.equal(await submit(form, body, more), want, name)
  t.equal(bucket.get(key)?.body.toString(), '12345')
  t.match(
    logs.lines().find(({ msg }) => msg === 'signed'),
    { policy: 'user-upload', operation: 'PostObject', signatures: 1 },
  )
  t.notMatch(logs.text(), /x-amz|users\/alice|图/iu)
})

t.test('a form for a folder takes any key in it, by default the name of the file', async (t) => {
  const { posts, bucket, sandbox } = await startSigning(t)
  const body = { policy: 'user-upload', keyPrefix: 'users/alice/in/', maxBytes: 5 }
  const [form] = (await posts(body)).posts
  if (!form) throw new Error('no form')
  t.equal(await submit(form, '1'), '204')
  t.ok(bucket.get('users/alice/in/f.txt'))
  t.equal(await submit(form, '1', { key: 'users/alice/in/a/b' }), '204')
  t.equal(await submit(form, '1', { key: 'users/alice/out' }), '403 AccessDenied')
  t.equal(await submit(form, '1', { key: 'users/bob/in/a' }), '403 AccessDenied')
  t.equal(sandbox.sts.asked.length, 1)
})

t.test('each content type has a form of its own', async (t) => {
  const { posts, bucket } = await startSigning(t)
  const contentTypes = ['image/png', 'image/svg+xml; charset=utf-8']
  const { posts: forms } = await posts({ policy: 'user-upload', key: 'users/alice/a', maxBytes: 5, contentTypes })
  t.strictSame(
    forms.map(({ contentType }) => contentType),
    contentTypes,
  )
  for (const form of forms) {
    t.equal(await submit(form, '1'), '204')
    t.equal(bucket.get('users/alice/a')?.metadata.get('content-type'), form.contentType)
    t.equal(await submit(form, '1', { 'content-type': 'text/html' }), '403 AccessDenied')
  }
})

t.test('a form ends when it says', async (t) => {
  const { posts, time } = await startSigning(t)
  const { posts: forms, expiration } = await posts({
    policy: 'user-upload',
    key: 'users/alice/a',
    maxBytes: 5,
    expiresInSeconds: 30,
  })
  const [form] = forms
  if (!form) throw new Error('no form')
  time.now = Date.parse(expiration) - 1
  t.equal(await submit(form, '1'), '204')
  time.now += 1
  t.equal(await submit(form, '1'), '403 AccessDenied')
})
