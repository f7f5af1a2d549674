import fc from 'fast-check'
import t from 'tap'
import { keyFault } from '../../src/oss/object-key.ts'
import { startSigning, submit, use } from './harness.ts'

// Keys stand in no message as they are: a line separator in one would break a line of TAP.

/** Every character that means something in a URL, a form, XML or a policy, beside letters of all scripts. */
const special = fc.constantFrom(...' +%&=?#/\\\'"()*!~;:@,$<>[]{}|^`._-', '%2F', '%25', '\u202e', '桶', 'e\u0301', '🗂')
const text = fc.string({
  unit: fc.oneof(special, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
  minLength: 1,
  maxLength: 60,
})
const own = (suffix: string) => `users/alice/${suffix}`
const keys = text.filter((suffix) => keyFault(own(suffix)) === undefined)

t.test('URLs work for every permitted key, and none is signed for a key beside it', async (t) => {
  const { urls, askUrls, bucket } = await startSigning(t)
  const ask = { policy: 'user-files', expiresInSeconds: 60 }
  const sign = async (operation: string, key: string) => {
    const [url] = (await urls({ ...ask, operation, key })).urls
    if (!url) throw new Error('no URL')
    return url
  }
  await fc.assert(
    fc.asyncProperty(keys, async (suffix) => {
      const key = own(suffix)
      const put = await sign('PutObject', key)
      t.equal((await use(put, suffix)).status, 200, put.url)
      t.equal(bucket.get(key)?.body.toString(), suffix, put.url)
      t.equal((await use(await sign('GetObject', key))).text, suffix)
      t.equal((await use(await sign('HeadObject', key))).status, 200)
      t.equal((await use(await sign('DeleteObject', key))).status, 204)
      t.equal(bucket.get(key), undefined)
      for (const other of [`users/bob/${suffix}`, `users/alice${suffix}`, suffix, `users/alice2/${suffix}`]) {
        if (other.startsWith(own('')) || keyFault(other) !== undefined) continue
        t.match(await askUrls({ ...ask, operation: 'PutObject', key: other }), {
          status: 403,
          body: { code: 'key_not_allowed' },
        })
      }
    }),
    { numRuns: 60 },
  )
})

t.test('a multipart upload works for every permitted key', async (t) => {
  const { urls, bucket } = await startSigning(t)
  const ask = { policy: 'user-upload' }
  await fc.assert(
    fc.asyncProperty(keys, async (suffix) => {
      const key = own(suffix)
      const [create] = (await urls({ ...ask, operation: 'CreateMultipartUpload', key })).urls
      const uploadId = create && /<UploadId>([^<]+)</u.exec((await use(create)).text)?.[1]
      const [part, complete] = (await urls({ ...ask, operation: 'MultipartUpload', key, uploadId, partNumbers: [1] }))
        .urls
      if (!part || !complete) throw new Error('a URL is missing')
      const { etag } = await use(part, suffix)
      const list = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`
      t.equal((await use(complete, `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`)).status, 200)
      t.equal(bucket.get(key)?.body.toString(), suffix)
    }),
    { numRuns: 25 },
  )
})

t.test('forms work for every permitted key and folder, within their size', async (t) => {
  const { posts, askPosts, bucket } = await startSigning(t)
  const ask = { policy: 'user-upload', maxBytes: 100 }
  await fc.assert(
    fc.asyncProperty(keys, async (suffix) => {
      const key = own(suffix)
      if (key.includes('${')) {
        t.match(await askPosts({ ...ask, key }), { status: 400, body: { code: 'invalid_request' } })
        return
      }
      const [exact] = (await posts({ ...ask, key })).posts
      const [folder] = (await posts({ ...ask, keyPrefix: key })).posts
      if (!exact || !folder) throw new Error('no form')
      t.equal(await submit(exact, suffix.slice(0, 20)), '204', encodeURIComponent(key))
      t.equal(bucket.get(key)?.body.toString(), suffix.slice(0, 20))
      t.equal(await submit(exact, 'x'.repeat(101)), '400 EntityTooLarge')
      t.equal(await submit(folder, 'f'), '204')
      t.equal(bucket.get(`${key}f.txt`)?.body.toString(), 'f', 'with the name of the file behind it')
      for (const other of [`users/bob/${suffix}`, 'users/', 'users/alice', 'u']) {
        if (keyFault(other) !== undefined) continue
        for (const where of [{ key: other }, { keyPrefix: other }]) {
          t.match(await askPosts({ ...ask, ...where }), { status: 403, body: { code: 'key_not_allowed' } })
        }
      }
    }),
    { numRuns: 30 },
  )
})
