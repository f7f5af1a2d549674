import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import t from 'tap'
import { request } from 'undici'
import { allow, BUCKET, OWNER, startOss } from './harness.ts'
import { post } from './post.ts'

t.test("the SDK's presigned forms", async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(oss.session(allow(['oss:PutObject'], 'users/alice/*')))
  const { url, fields } = await createPresignedPost(s3, {
    Bucket: BUCKET,
    Key: 'users/alice/${filename}',
    Conditions: [
      ['content-length-range', 1, 10],
      ['starts-with', '$Content-Type', 'image/'],
    ],
    Fields: { success_action_status: '201' },
  })
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('Content-Type', 'image/png')
  form.append('file', new Blob(['hello']), 'a&b.png')
  form.append('submit', 'Upload')
  const answer = await fetch(url, { method: 'POST', body: form })
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('etag'), '"5d41402abc4b2a76b9719d911017c592"')
  t.match(
    await answer.text(),
    '<Bucket>test-app</Bucket><Key>users/alice/a&amp;b.png</Key><ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag>',
  )
  t.equal(oss.bucket.get('users/alice/a&b.png')?.metadata.get('content-type'), 'image/png')
})

t.test('a field that no condition covers is refused', async (t) => {
  const oss = await startOss(t)
  const { url, fields } = await createPresignedPost(oss.client(OWNER), { Bucket: BUCKET, Key: 'a' })
  for (const [name, want] of [
    ['x-amz-meta-a', 403],
    ['x-ignore-a', 204],
  ] as const) {
    const form = new FormData()
    for (const [field, value] of Object.entries({ ...fields, [name]: '1' })) form.append(field, value)
    form.append('file', new Blob(['x']))
    t.equal((await fetch(url, { method: 'POST', body: form })).status, want, name)
  }
})

t.test("only the last part of the file's name is used", async (t) => {
  for (const filename of ['../../bob/x.txt', 'C:\\bob\\x.txt', 'x.txt']) {
    const oss = await startOss(t)
    await post(oss, { fields: { key: 'users/alice/${filename}' }, filename })
    t.strictSame(oss.bucket.keys(), ['users/alice/x.txt'])
  }
})

t.test('answers to a form', async (t) => {
  const rows: readonly { name: string; fields: Record<string, string>; want: readonly [number, string?] }[] = [
    { name: 'the default', fields: {}, want: [204] },
    { name: '200', fields: { success_action_status: '200' }, want: [200] },
    { name: 'another status', fields: { success_action_status: '418' }, want: [204] },
    {
      name: 'a page',
      fields: { success_action_redirect: 'https://app.example/done?a=1' },
      want: [
        303,
        'https://app.example/done?a=1&bucket=test-app&key=users%2Falice%2Fa.txt&etag=%225d41402abc4b2a76b9719d911017c592%22',
      ],
    },
    { name: 'a script', fields: { success_action_redirect: 'javascript:alert(1)' }, want: [204] },
    { name: 'no URL', fields: { success_action_redirect: '/done' }, want: [204] },
  ]
  for (const { name, fields, want } of rows) {
    t.test(name, async (t) => {
      const { status, headers } = await post(await startOss(t), { fields })
      t.equal(status, want[0])
      if (want[1] !== undefined) t.equal(headers.get('location'), want[1])
    })
  }
})

t.test('bodies that are not forms', async (t) => {
  const oss = await startOss(t)
  const part = (name: string) => `--b\r\ncontent-disposition: form-data; name="${name}"; filename="f"\r\n\r\nx\r\n`
  const rows = [
    { name: 'no boundary', type: 'multipart/form-data', body: 'x', want: [400, 'MalformedPOSTRequest'] },
    { name: 'nothing', type: 'multipart/form-data; boundary=b', body: '', want: [400, 'MalformedPOSTRequest'] },
    { name: 'no parts', type: 'multipart/form-data; boundary=b', body: '--b--\r\n', want: [400, 'InvalidArgument'] },
    {
      name: 'truncated',
      type: 'multipart/form-data; boundary=b',
      body: part('file').slice(0, -4),
      want: [400, 'MalformedPOSTRequest'],
    },
    {
      name: 'two files',
      type: 'multipart/form-data; boundary=b',
      body: `${part('file')}${part('file')}--b--\r\n`,
      want: [400, 'InvalidArgument'],
    },
    { name: 'another type', type: 'text/plain', body: 'x', want: [403, 'AccessDenied'] },
  ] as const
  for (const { name, type, body, want } of rows) {
    t.test(name, async (t) => {
      const answer = await request(`${oss.url}/${BUCKET}`, { method: 'POST', headers: { 'content-type': type }, body })
      t.strictSame([answer.statusCode, /<Code>(\w+)/u.exec(await answer.body.text())?.[1]], want)
    })
  }
})
