import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { keyFault } from '../../../src/oss/object-key.ts'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, s3, startService } from './service.ts'

let rgw: Rgw
before(async () => {
  if (!skip) rgw = await startRgw()
})
after(() => rgw?.stop())

type Signed = Readonly<{ operation: string; partNumber?: number; method: string; url: string }>

/** Asks the service for signatures as alice. */
async function signer(t: TestContext) {
  const { app, tokenOf } = await startService(t, rgw)
  return async (body: object): Promise<readonly Signed[]> => {
    const headers = { authorization: `Bearer ${tokenOf('alice')}` }
    const response = await app.inject({ method: 'POST', url: '/v1/presigned-urls', headers, payload: body })
    assert.equal(response.statusCode, 200, response.body)
    return response.json().urls
  }
}

/** Keys with every character that means something in a URL or a signature, and any script. */
const suffixes = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...' +%&=?#/\\\'"()*!~;:@,$<>[]{}|^`._-'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 30,
  })
  .filter((suffix) => keyFault(`users/alice/${suffix}`) === undefined)

test('URLs for permitted keys in any script work on a store that did not see them signed', { skip }, async (t) => {
  await createBucket(t, rgw)
  const sign = await signer(t)
  await fc.assert(
    fc.asyncProperty(suffixes, async (suffix) => {
      const key = `users/alice/${suffix}`
      const one = async (operation: string, body?: string) => {
        const [signed] = await sign({ policy: 'user-files', operation, key })
        assert.ok(signed)
        return fetch(signed.url, { method: signed.method, ...(body !== undefined && { body }) })
      }
      assert.equal((await one('PutObject', suffix)).status, 200, key)
      assert.equal(await (await one('GetObject')).text(), suffix, key)
      assert.equal((await one('HeadObject')).status, 200, key)
      assert.equal((await one('DeleteObject')).status, 204, key)
    }),
    { numRuns: 60 },
  )
})

test('a URL opens neither another key nor another method, and not for longer', { skip }, async (t) => {
  const sign = await signer(t)
  const [put] = await sign({ policy: 'user-files', operation: 'PutObject', key: 'users/alice/a', expiresInSeconds: 60 })
  assert.ok(put)
  const other = put.url.replace('users/alice/a', 'users/alice/b')
  assert.equal((await fetch(other, { method: 'PUT', body: 'x' })).status, 403)
  assert.equal((await fetch(put.url)).status, 403)
  const longer = put.url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')
  assert.notEqual(longer, put.url)
  assert.equal((await fetch(longer, { method: 'PUT', body: 'x' })).status, 403)
})

test('an upload URL cannot be turned into a copy of what somebody else wrote', { skip }, async (t) => {
  const admin = s3(t, rgw, rgw.admin)
  await admin.send(new PutObjectCommand({ Bucket: rgw.bucket, Key: 'users/bob/secret', Body: 'secret' }))
  const sign = await signer(t)
  const [put] = await sign({ policy: 'user-files', operation: 'PutObject', key: 'users/alice/copy' })
  assert.ok(put)
  const headers = { 'x-amz-copy-source': `/${rgw.bucket}/users/bob/secret` }
  const answer = await fetch(put.url, { method: 'PUT', headers })
  const copied = admin.send(new GetObjectCommand({ Bucket: rgw.bucket, Key: 'users/alice/copy' }))
  const content = await copied.then(({ Body }) => Body?.transformToString()).catch(() => 'nothing')
  assert.notEqual(content, 'secret', `the store answered ${answer.status}`)
})

test('an upload in parts by URLs alone', { skip }, async (t) => {
  const sign = await signer(t)
  const key = 'users/alice/film.mp4'
  const [create] = await sign({ policy: 'user-files', operation: 'CreateMultipartUpload', key })
  assert.ok(create)
  const started = await (await fetch(create.url, { method: create.method })).text()
  const uploadId = /<UploadId>(.*?)<\/UploadId>/u.exec(started)?.[1] ?? assert.fail(started)
  const urls = await sign({ policy: 'user-files', operation: 'MultipartUpload', key, uploadId, partNumbers: [1, 2] })
  const parts: string[] = []
  for (const { partNumber, method, url } of urls) {
    if (partNumber === undefined) continue
    const body = Buffer.alloc(5 * 1024 * 1024, partNumber)
    const etag = (await fetch(url, { method, body })).headers.get('etag')
    parts.push(`<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`)
  }
  const complete = urls.find(({ operation }) => operation === 'CompleteMultipartUpload') ?? assert.fail()
  const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
  assert.equal((await fetch(complete.url, { method: complete.method, body })).status, 200)
  const [head] = await sign({ policy: 'user-files', operation: 'HeadObject', key })
  assert.ok(head)
  assert.equal((await fetch(head.url, { method: 'HEAD' })).headers.get('content-length'), String(10 * 1024 * 1024))
})
