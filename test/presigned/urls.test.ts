import { createHash } from 'node:crypto'
import t from 'tap'
import { type SignedUrl, startSigning, use } from './harness.ts'

const KEY = 'users/alice/图 1+&=?#.png'

t.test('each operation has a URL that works', async (t) => {
  const { urls, bucket, sandbox, logs } = await startSigning(t)
  const sign = async (operation: string) => {
    const [url] = (await urls({ policy: 'user-files', operation, key: KEY })).urls
    if (!url) throw new Error('no URL')
    t.match(url, { operation, key: KEY, headers: {} })
    return use(url, operation === 'PutObject' ? 'hello' : undefined)
  }
  t.equal((await sign('PutObject')).status, 200)
  t.equal(bucket.get(KEY)?.body.toString(), 'hello')
  t.match(await sign('GetObject'), { status: 200, text: 'hello' })
  t.match(await sign('HeadObject'), { status: 200, text: '' })
  t.equal((await sign('DeleteObject')).status, 204)
  t.equal((await sign('HeadObject')).status, 403, 'S3 hides from those who may not list that a key is missing')
  t.equal(sandbox.sts.asked.length, 2, 'one session signs reads, another one writes')
  t.strictSame(sandbox.sts.asked.map(({ roleSessionName }) => roleSessionName).sort(), [
    'user-files.signed-reads',
    'user-files.signed-writes',
  ])
  const [line] = logs.lines().filter(({ msg }) => msg === 'signed')
  t.match(line, {
    policy: 'user-files',
    roleSessionName: 'user-files@alice',
    operation: 'PutObject',
    signatures: 1,
    expiration: String,
    from: 'sts',
  })
  t.notMatch(logs.text(), /X-Amz|Signature|users\/alice|图/u, 'neither URLs nor keys are logged')
})

t.test('several keys are signed at once, in their order', async (t) => {
  const { urls, bucket } = await startSigning(t)
  const keys = Array.from({ length: 100 }, (_, i) => `users/alice/${i}`)
  const answer = await urls({ policy: 'user-upload', operation: 'PutObject', keys })
  t.strictSame(
    answer.urls.map(({ key }) => key),
    keys,
  )
  const last = answer.urls.at(-1)
  t.equal(last && (await use(last, 'x')).status, 200)
  t.ok(bucket.get('users/alice/99'))
})

t.test('content type and MD5 must be sent as they were signed', async (t) => {
  const { urls, bucket } = await startSigning(t)
  const contentMd5 = createHash('md5').update('x').digest('base64')
  const body = {
    policy: 'user-upload',
    operation: 'PutObject',
    key: 'users/alice/a',
    contentType: 'image/png',
    contentMd5,
  }
  const [url] = (await urls(body)).urls
  if (!url) throw new Error('no URL')
  t.strictSame(url.headers, { 'content-type': 'image/png', 'content-md5': contentMd5 })
  const rows = [
    { name: 'another type', body: 'x', more: { 'content-type': 'text/html' }, want: 403 },
    { name: 'other content', body: 'y', more: {}, want: 400 },
    {
      name: 'another MD5',
      body: 'y',
      more: { 'content-md5': createHash('md5').update('y').digest('base64') },
      want: 403,
    },
    { name: 'a header that was not signed', body: 'x', more: { 'x-amz-meta-a': 'b' }, want: 403 },
    { name: 'a copy of another object', body: '', more: { 'x-amz-copy-source': '/test-app/users/bob/b' }, want: 403 },
    { name: 'as it is', body: 'x', more: {}, want: 200 },
  ]
  bucket.put('users/bob/b', Buffer.from('secret'), new Map())
  for (const { name, body, more, want } of rows) t.equal((await use(url, body, more)).status, want, name)
  t.equal(bucket.get('users/alice/a')?.metadata.get('content-type'), 'image/png')
})

t.test('a URL opens its key and its operation, and nothing else', async (t) => {
  const { urls, bucket } = await startSigning(t)
  bucket.put('users/alice/b', Buffer.from('b'), new Map())
  const [url] = (await urls({ policy: 'user-files', operation: 'PutObject', key: 'users/alice/a' })).urls
  if (!url) throw new Error('no URL')
  const changed = (changes: Partial<SignedUrl>) => use({ ...url, ...changes }, changes.method ? undefined : 'x')
  t.equal((await changed({ url: url.url.replace('alice/a', 'alice/b') })).status, 403)
  t.equal((await changed({ url: url.url.replace('alice/a', 'bob/a') })).status, 403)
  t.equal((await changed({ url: url.url.replace('/test-app/users/alice/a', '/test-app/') })).status, 403)
  t.equal((await changed({ url: `${url.url}&partNumber=1&uploadId=x` })).status, 403)
  for (const method of ['GET', 'DELETE', 'HEAD']) t.equal((await changed({ method })).status, 403, method)
  t.equal((await changed({ url: url.url.replace(/X-Amz-Expires=\d+/u, 'X-Amz-Expires=43200') })).status, 403)
  t.equal(bucket.get('users/alice/b')?.body.toString(), 'b')
})

t.test('a multipart upload goes through signed URLs from beginning to end', async (t) => {
  const { urls, bucket } = await startSigning(t)
  const key = 'users/alice/film ü.mp4'
  const created = await urls({
    policy: 'user-upload',
    operation: 'CreateMultipartUpload',
    key,
    contentType: 'video/mp4',
  })
  const [create] = created.urls
  if (!create) throw new Error('no URL')
  const uploadId = /<UploadId>([^<]+)</u.exec((await use(create)).text)?.[1]
  const body = { policy: 'user-upload', operation: 'MultipartUpload', key, uploadId, partNumbers: [1, 2] }
  const { urls: rest } = await urls(body)
  t.strictSame(
    rest.map(({ operation, partNumber }) => `${operation} ${partNumber ?? ''}`.trim()),
    ['UploadPart 1', 'UploadPart 2', 'CompleteMultipartUpload', 'AbortMultipartUpload'],
  )
  const [first, second, complete, abort] = rest
  if (!first || !second || !complete || !abort) throw new Error('a URL is missing')
  const parts = [await use(first, Buffer.alloc(5 * 1024 * 1024, 'a')), await use(second, 'end')]
  const xml = parts.map(({ etag }, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('')
  const done = await use(complete, `<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`)
  t.equal(done.status, 200)
  t.equal(bucket.get(key)?.body.length, 5 * 1024 * 1024 + 3)
  t.equal(bucket.get(key)?.metadata.get('content-type'), 'video/mp4')
  t.match(await use(abort), { status: 404, code: 'NoSuchUpload' }, 'it is over')

  t.test('another one is given up', async (t) => {
    const again = /<UploadId>([^<]+)</u.exec((await use(create)).text)?.[1]
    const { urls: rest } = await urls({ ...body, uploadId: again, partNumbers: [7] })
    const [part, , abort] = rest
    t.equal(part && (await use(part, 'x')).status, 200)
    t.equal(abort && (await use(abort)).status, 204)
    t.match(part && (await use(part, 'x')), { status: 404, code: 'NoSuchUpload' })
  })

  t.test('the upload of another key cannot be touched', async (t) => {
    const { urls: bobs } = await urls(
      { policy: 'user-upload', operation: 'CreateMultipartUpload', key: 'users/bob/film' },
      { sub: 'bob' },
    )
    const theirs = bobs[0] && /<UploadId>([^<]+)</u.exec((await use(bobs[0])).text)?.[1]
    const { urls: rest } = await urls({ ...body, uploadId: theirs })
    for (const url of rest)
      t.match(
        await use(
          url,
          url.method === 'DELETE'
            ? undefined
            : '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part></CompleteMultipartUpload>',
        ),
        { status: 404, code: 'NoSuchUpload' },
      )
  })
})

t.test('a URL ends when it says', async (t) => {
  const { urls, time } = await startSigning(t)
  const asked = time.now
  const { urls: signed, ...life } = await urls({
    policy: 'user-upload',
    operation: 'PutObject',
    key: 'users/alice/a',
    expiresInSeconds: 60,
  })
  t.equal(life.expiresInSeconds, 60)
  t.equal(Date.parse(life.expiration), Math.floor(asked / 1000) * 1000 + 60_000)
  const [url] = signed
  if (!url) throw new Error('no URL')
  time.now = Date.parse(life.expiration) - 1
  t.equal((await use(url, 'x')).status, 200)
  time.now += 1001
  t.equal((await use(url, 'x')).status, 403)
})

t.test('a URL ends with its session, and the answer tells so', async (t) => {
  const { urls, sandbox } = await startSigning(t)
  const body = { policy: 'user-upload', operation: 'PutObject', key: 'users/alice/a', expiresInSeconds: 43_200 }
  const answer = await urls(body)
  t.ok(answer.expiresInSeconds <= 3600 && answer.expiresInSeconds >= 3598, `${answer.expiresInSeconds}`)
  const { searchParams } = new URL(answer.urls[0]?.url ?? '')
  const accessKey = searchParams.get('X-Amz-Credential')?.split('/')[0] ?? ''
  const found = sandbox.world.sessions.lookup(accessKey, searchParams.get('X-Amz-Security-Token') ?? '')
  t.match(found, { status: 'valid' })
  t.ok('session' in found && Date.parse(answer.expiration) <= found.session.expiresAt)
  t.equal(searchParams.get('X-Amz-Expires'), String(answer.expiresInSeconds))
})
