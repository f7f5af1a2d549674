import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, outcome, s3, startService } from './service.ts'

let rgw: Rgw
before(async () => {
  if (!skip) rgw = await startRgw()
})
after(() => rgw?.stop())

const UPLOAD = { policy: 'user-upload' }
type Service = Awaited<ReturnType<typeof startService>>
const causesIn = ({ logs }: Service) =>
  logs.lines().flatMap(({ upstream }) => (upstream === undefined ? [] : [upstream]))

test('a fault of the configuration is answered 502, and the log names the cause', { skip }, async (t) => {
  const ceph = { status: 403, reason: 'AccessDenied' }
  const rows = [
    { name: 'an unknown access key', env: { AWS_STS_ACCESS_KEY: 'NOBODY0123456789' }, want: ceph },
    { name: 'a wrong secret key', env: { AWS_STS_SECRET_KEY: 'b2bb9c4e-8f3e-4a53-9d0c-2f1f1a9a7f10' }, want: ceph },
    {
      name: 'an unknown role',
      env: { AWS_STS_ROLE_ARN: 'arn:aws:iam:::role/other-role' },
      want: { status: 404, reason: 'NoSuchEntity' },
    },
  ]
  for (const { name, env, want } of rows) {
    await t.test(name, async (t) => {
      const service = await startService(t, rgw, env)
      const { status, body } = await service.post('alice', UPLOAD)
      assert.deepEqual([status, body.code], [502, 'upstream_denied'])
      const [cause] = causesIn(service)
      assert.ok(typeof cause === 'object' && cause && 'requestId' in cause)
      assert.match(String(cause.requestId), /^tx[0-9a-f]+-/u, "Ceph's log has the same id")
      assert.deepEqual(cause, { ...want, requestId: cause.requestId })
      for (const secret of [rgw.iam.secretKey, ...Object.values(env)]) assert.ok(!service.logs.text().includes(secret))
    })
  }
})

const LONG = `
description: A folder of the caller's choice below its own.
allow: { claims: { scope: [oss.upload] } }
params: { path: { kind: path } }
policy:
  Version: "3"
  Statement:
    - Effect: Allow
      Action: [oss:PutObject, oss:AbortMultipartUpload]
      Resource: "jrn:oss:*:\${account}:\${bucket}/users/\${jwt:sub}/\${param:path}/*"
examples:
  - caller: { sub: alice, scope: oss.upload }
    params: { path: a/b }
    can: [PutObject users/alice/a/b/1]
    cannot: [PutObject users/bob/a/b/1]
`

test('a key that S3 cannot have is refused, and not sent to a Ceph that would crash on it', { skip }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-'))
  t.after(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'long.yaml'), LONG)
  const { post } = await startService(t, rgw, { POLICIES_DIR: directory })
  const ask = async (letters: number) => {
    const segments = Array.from({ length: 14 }, () => 'x'.repeat(letters))
    const { status, body } = await post('alice', { policy: 'long', params: { path: segments.join('/') } })
    return [status, body.code]
  }
  assert.deepEqual(await ask(128), [422, 'policy_too_large'])
  assert.deepEqual(await ask(100), [422, 'policy_too_large'])
  assert.deepEqual(await ask(70), [200, undefined], 'and Ceph still answers')
})

test('new keys in files are tested at Ceph before they sign', { skip }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-'))
  t.after(() => rm(directory, { recursive: true }))
  const [ak, sk] = [join(directory, 'ak'), join(directory, 'sk')]
  const write = ([accessKey, secretKey]: readonly [string, string]) =>
    Promise.all([writeFile(ak, accessKey), writeFile(sk, secretKey)])
  await write([rgw.iam.accessKey, rgw.iam.secretKey])
  const files = {
    AWS_STS_ACCESS_KEY: '',
    AWS_STS_SECRET_KEY: '',
    AWS_STS_ACCESS_KEY_FILE: ak,
    AWS_STS_SECRET_KEY_FILE: sk,
  }
  const { reload, logs, vend } = await startService(t, rgw, files)
  await vend('alice', UPLOAD)

  await write(['NOBODY0123456789', 'b2bb9c4e-8f3e-4a53-9d0c-2f1f1a9a7f10'])
  await reload()
  assert.match(logs.text(), /"result":"refused".*"reason":"AccessDenied"/u)
  await vend('bob', UPLOAD)

  const next = ['NEXTKEY012345678', '0e2f6a3c-57d1-4c0b-8a6e-9d1b7f4c2e85'] as const
  await rgw.command('key', 'create', '--uid=test-iam', `--access-key=${next[0]}`, `--secret-key=${next[1]}`)
  await write(next)
  await reload()
  assert.match(logs.text(), /"secret":"sts_keys".*a secret has changed and is in use/u)
  await rgw.command('key', 'rm', '--uid=test-iam', `--access-key=${rgw.iam.accessKey}`)
  await vend('carol', UPLOAD)
  await rgw.command(
    'key',
    'create',
    '--uid=test-iam',
    `--access-key=${rgw.iam.accessKey}`,
    `--secret-key=${rgw.iam.secretKey}`,
  )
})

// The last one: it ends the gateway.
test('while the store is down, callers with a session keep it and others hear 503', { skip }, async (t) => {
  await createBucket(t, rgw)
  const service = await startService(t, rgw)
  const session = await service.vend('alice', UPLOAD)
  const alice = s3(t, rgw, session)
  const put = () => outcome(alice.send(new PutObjectCommand({ Bucket: rgw.bucket, Key: 'users/alice/1', Body: 'x' })))
  assert.equal(await put(), 'ok')
  await rgw.kill()
  assert.equal((await service.vend('alice', UPLOAD)).accessKey, session.accessKey)
  const { status, body } = await service.post('bob', UPLOAD)
  assert.deepEqual([status, body.code], [503, 'upstream_unavailable'])
  assert.deepEqual(causesIn(service), [{ reason: 'ECONNREFUSED' }])
})
