import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, outcome, s3, startService } from './service.ts'

let rgw: Rgw
before(async () => {
  if (!skip) rgw = await startRgw()
})
after(() => rgw?.stop())

const Bucket = 'test-app'
const put = (client: S3Client, Key: string, Body: string | Buffer = 'hello') =>
  outcome(client.send(new PutObjectCommand({ Bucket, Key, Body })))
const get = async (client: S3Client, Key: string) =>
  (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()

test('a session opens its own folder, for its own actions, and nothing else', { skip }, async (t) => {
  await createBucket(t, rgw)
  const { vend } = await startService(t, rgw)
  const alice = s3(t, rgw, await vend('alice', { policy: 'user-upload' }))
  const admin = s3(t, rgw, rgw.admin)
  assert.equal(await put(alice, 'users/alice/1.txt'), 'ok')
  assert.equal(await get(admin, 'users/alice/1.txt'), 'hello')
  for (const key of [
    'users/bob/1.txt',
    'users/alice2/1.txt',
    'users/alice',
    'users/Alice/1.txt',
    '1.txt',
    'users//1',
  ]) {
    assert.equal(await put(alice, key), 'AccessDenied', key)
  }
  const own = { Bucket, Key: 'users/alice/1.txt' }
  const copy = { ...own, Key: 'users/bob/2.txt', CopySource: `${Bucket}/users/alice/1.txt` }
  const refused = [
    () => alice.send(new GetObjectCommand(own)),
    () => alice.send(new DeleteObjectCommand(own)),
    () => alice.send(new ListObjectsV2Command({ Bucket, Prefix: 'users/alice/' })),
    () => alice.send(new CopyObjectCommand(copy)),
  ]
  for (const send of refused) assert.equal(await outcome(send()), 'AccessDenied', String(send))
  assert.equal(await get(admin, 'users/alice/1.txt'), 'hello')
})

test('a session of more actions reads and deletes its own, and copies nothing in from elsewhere', {
  skip,
}, async (t) => {
  const { vend } = await startService(t, rgw)
  const [alice, bob] = [
    s3(t, rgw, await vend('alice', { policy: 'user-files' })),
    s3(t, rgw, await vend('bob', { policy: 'user-files' })),
  ]
  assert.equal(await put(alice, 'users/alice/notes.txt'), 'ok')
  assert.equal(await put(bob, 'users/bob/notes.txt'), 'ok')
  assert.equal(await get(alice, 'users/alice/notes.txt'), 'hello')
  assert.equal(await outcome(get(bob, 'users/alice/notes.txt')), 'AccessDenied')
  const copy = (from: string) =>
    new CopyObjectCommand({ Bucket, Key: 'users/alice/copy.txt', CopySource: `${Bucket}/users/${from}/notes.txt` })
  assert.equal(await outcome(alice.send(copy('bob'))), 'AccessDenied')
  assert.equal(await outcome(alice.send(copy('alice'))), 'ok')
  const remove = (name: string) => new DeleteObjectCommand({ Bucket, Key: `users/${name}/notes.txt` })
  assert.equal(await outcome(alice.send(remove('bob'))), 'AccessDenied')
  assert.equal(await outcome(alice.send(remove('alice'))), 'ok')
})

test('a parameter of the request bounds the session', { skip }, async (t) => {
  const { vend } = await startService(t, rgw)
  const trip = s3(t, rgw, await vend('alice', { policy: 'album-upload', params: { album: 'trip' } }))
  assert.equal(await put(trip, 'users/alice/albums/trip/1.jpg'), 'ok')
  for (const key of ['users/alice/albums/trip2/1.jpg', 'users/alice/1.jpg', 'users/bob/albums/trip/1.jpg']) {
    assert.equal(await put(trip, key), 'AccessDenied', key)
  }
})

test('whatever a name has in it, its folder opens and its neighbours do not', { skip }, async (t) => {
  const { vend } = await startService(t, rgw)
  for (const name of ['a.b@example.com', 'x|y', 'a=b,c+d', '~', '-_-', '李雷', 'ünï', 'ㄅㄆ', '𠮷', '3']) {
    const client = s3(t, rgw, await vend(name, { policy: 'user-files' }))
    assert.equal(await put(client, `users/${name}/photo 1.jpg`), 'ok', name)
    for (const other of [`${name}x`, `${name} `, `x${name}`, `${name}/..`.replace(/.\/\.\.$/u, ''), '%61', '*', '?']) {
      if (other !== name) assert.equal(await put(client, `users/${other}/1.jpg`), 'AccessDenied', `${name}: ${other}`)
    }
  }
})

const PART = 5 * 1024 * 1024

test('uploads in several parts', { skip }, async (t) => {
  const { vend } = await startService(t, rgw)
  const alice = s3(t, rgw, await vend('alice', { policy: 'user-files' }))
  const Body = Buffer.alloc(PART + 1024, 'x')
  const upload = (Key: string) =>
    new Upload({ client: alice, params: { Bucket, Key, Body }, partSize: PART, queueSize: 2 }).done()
  assert.equal(await outcome(upload('users/alice/film.mp4')), 'ok')
  assert.equal((await get(alice, 'users/alice/film.mp4'))?.length, Body.length)
  assert.equal(await outcome(upload('users/bob/film.mp4')), 'AccessDenied')

  const begin = { Bucket, Key: 'users/alice/begun.mp4' }
  const { UploadId } = await alice.send(new CreateMultipartUploadCommand(begin))
  assert.equal(await outcome(alice.send(new ListPartsCommand({ ...begin, UploadId }))), 'ok')
  const bob = s3(t, rgw, await vend('bob', { policy: 'user-files' }))
  assert.equal(await outcome(bob.send(new AbortMultipartUploadCommand({ ...begin, UploadId }))), 'AccessDenied')
  assert.equal(await outcome(alice.send(new AbortMultipartUploadCommand({ ...begin, UploadId }))), 'ok')
})

test('a URL that the SDK signs with a session works for its key alone', { skip }, async (t) => {
  const { vend } = await startService(t, rgw)
  const alice = s3(t, rgw, await vend('alice', { policy: 'user-upload' }))
  const sign = (Key: string) => getSignedUrl(alice, new PutObjectCommand({ Bucket, Key }), { expiresIn: 300 })
  const send = async (url: string) => (await fetch(url, { method: 'PUT', body: 'signed' })).status
  const url = await sign('users/alice/signed.txt')
  assert.equal(await send(url), 200)
  assert.equal(await get(s3(t, rgw, rgw.admin), 'users/alice/signed.txt'), 'signed')
  assert.equal(await send(url.replace('users/alice', 'users/bob')), 403)
  assert.equal(await send(await sign('users/bob/signed.txt')), 403)
  assert.equal((await fetch(url)).status, 403, 'another method')
})

test("keys with another session's token, or with none, open nothing", { skip }, async (t) => {
  const { vend } = await startService(t, rgw)
  const [alice, bob] = [await vend('alice', { policy: 'user-upload' }), await vend('bob', { policy: 'user-upload' })]
  for (const sub of ['alice', 'bob']) {
    const key = `users/${sub}/mixed.txt`
    assert.equal(await put(s3(t, rgw, { ...alice, sessionToken: bob.sessionToken }), key), 'AccessDenied', key)
    assert.notEqual(await put(s3(t, rgw, { accessKey: alice.accessKey, secretKey: alice.secretKey }), key), 'ok', key)
  }
})

test('sessions of 900 seconds: each vend has a new one, and nothing shorter is given', { skip }, async (t) => {
  const { post, vend } = await startService(t, rgw)
  const asked = Date.now()
  const short = { policy: 'user-upload', durationSeconds: 900 }
  const [one, two] = [await vend('alice', short), await vend('alice', short)]
  assert.notEqual(one.accessKey, two.accessKey)
  for (const session of [one, two]) {
    const left = Date.parse(session.expiration) - asked
    assert.ok(left > 890_000 && left <= 960_000, `${left} ms`)
    assert.equal(await put(s3(t, rgw, session), 'users/alice/short.txt'), 'ok')
  }
  const { status, body } = await post('alice', { ...short, durationSeconds: 899 })
  assert.deepEqual([status, body.code], [400, 'invalid_request'])
  const long = await Promise.all([vend('carol', { policy: 'user-upload' }), vend('carol', { policy: 'user-upload' })])
  assert.equal(long[0].accessKey, long[1].accessKey, 'a longer one is shared')
})
