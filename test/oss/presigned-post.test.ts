import t from 'tap'
import { presignPost } from '../../src/oss/presigned-post.ts'
import { allow, BUCKET, startOss } from '../sandbox/oss/harness.ts'

async function send(url: string, fields: Readonly<Record<string, string>>, body: string, name = 'f.txt') {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.append(field, value)
  form.append('file', new Blob([body]), name)
  const answer = await fetch(url, { method: 'POST', body: form })
  return `${answer.status} ${/<Code>(\w+)/u.exec(await answer.text())?.[1] ?? ''}`.trim()
}

t.test('a form keeps an upload to its key, size, type and time', async (t) => {
  const oss = await startOss(t)
  const session = oss.session(allow(['oss:PutObject'], 'users/alice/*'))
  const store = { endpoint: oss.url, region: oss.world.region, bucket: BUCKET }
  const at = oss.time.now
  const sign = (limits: Partial<Parameters<typeof presignPost>[2]> = {}) =>
    presignPost(
      store,
      session,
      { key: { exactly: 'users/alice/图 1.png' }, minBytes: 1, maxBytes: 5, contentType: 'image/png', ...limits },
      { at, expiresAt: at + 60_000 },
    )
  const whole = sign()
  const folder = sign({ key: { startsWith: 'users/alice/' } })
  const untyped = sign({ contentType: undefined })
  const rows = [
    { name: 'as it is', form: whole, body: '12345', want: '204' },
    { name: 'one byte too many', form: whole, body: '123456', want: '400 EntityTooLarge' },
    { name: 'nothing', form: whole, body: '', want: '400 EntityTooSmall' },
    { name: 'another type', form: whole, more: { 'content-type': 'text/html' }, body: '1', want: '403 AccessDenied' },
    { name: 'another key', form: whole, more: { key: 'users/alice/2' }, body: '1', want: '403 AccessDenied' },
    { name: 'a folder', form: folder, body: '1', want: '204' },
    { name: 'no type', form: untyped, body: '12345', want: '204' },
    {
      name: 'a type in a form without one',
      form: untyped,
      more: { 'content-type': 'text/html' },
      body: '1',
      want: '403 AccessDenied',
    },
    {
      name: 'a folder, a key in it',
      form: folder,
      more: { key: 'users/alice/a/b' },
      body: '1',
      want: '204',
    },
    {
      name: 'a folder, a key beside it',
      form: folder,
      more: { key: 'users/bob/a' },
      body: '1',
      want: '403 AccessDenied',
    },
    {
      name: 'a field that was not signed',
      form: whole,
      more: { acl: 'public-read' },
      body: '1',
      want: '403 AccessDenied',
    },
    {
      name: 'another policy',
      form: whole,
      more: { policy: folder.fields.policy ?? '' },
      body: '1',
      want: '403 SignatureDoesNotMatch',
    },
  ]
  for (const { name, form, more = {}, body, want } of rows) {
    t.equal(await send(form.url, { ...form.fields, ...more }, body), want, name)
  }
  t.equal(oss.bucket.get('users/alice/图 1.png')?.body.toString(), '12345')
  t.ok(oss.bucket.get('users/alice/f.txt'), "the file's own name stands for the variable")
  oss.time.now += 60_000
  t.equal(await send(whole.url, whole.fields, '1'), '403 AccessDenied', 'once it is over')
})

t.test('a form does not open what its session does not', async (t) => {
  const oss = await startOss(t)
  const session = oss.session(allow(['oss:PutObject'], 'users/alice/*'))
  const store = { endpoint: oss.url, region: oss.world.region, bucket: BUCKET }
  const limits = { key: { exactly: 'users/bob/1' }, minBytes: 0, maxBytes: 5 }
  const { url, fields } = presignPost(store, session, limits, { at: oss.time.now, expiresAt: oss.time.now + 60_000 })
  t.equal(await send(url, fields, '1'), '403 AccessDenied')
})
