import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startSandbox } from '../../sandbox/index.ts'
import { officialSts } from './sdk.ts'

const roleJrn = 'jrn:iam::111111111111:role/test-role'
const policy = JSON.stringify({
  Version: '3',
  Statement: [
    { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['jrn:oss:*:111111111111:test-app/users/alice/*'] },
  ],
})

test('credentials from the official STS client open their corner of the bucket, and nothing else', async (t) => {
  const sandbox = await startSandbox()
  t.after(sandbox.close)
  const assumeRoleInfo = { roleJrn, roleSessionName: 'upload@alice', policy, durationSeconds: 3600 }
  const { requestId, result } = await officialSts(sandbox.sts.url).assumeRole({ assumeRoleInfo })
  assert.match(requestId, /^[0-9a-f-]{36}$/u)
  const { accessKey, secretKey, sessionToken, expiration } = result.credentials
  assert.match(expiration, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u)
  const { accessKey: _, ...asked } = sandbox.sts.asked[0] ?? {}
  assert.deepEqual(asked, assumeRoleInfo)

  const s3 = new S3Client({
    endpoint: sandbox.oss.url,
    region: 'cn-north-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken },
  })
  t.after(() => s3.destroy())
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'test-app', Key, Body: 'hello' }))
  assert.equal((await put('users/alice/照片 1.txt')).$metadata.httpStatusCode, 200)
  await assert.rejects(put('users/bob/1.txt'), { name: 'AccessDenied' })
})

test('a refusal reaches the SDK’s caller as JD Cloud’s error document', async (t) => {
  const sandbox = await startSandbox()
  t.after(sandbox.close)
  const assumeRoleInfo = { roleJrn, roleSessionName: 'upload@alice', durationSeconds: 900 }
  await assert.rejects(officialSts(sandbox.sts.url).assumeRole({ assumeRoleInfo }), (answer) => {
    assert.ok(typeof answer === 'object' && answer !== null && 'error' in answer)
    assert.deepEqual(answer.error, {
      code: 400,
      status: 'OUT_OF_RANGE',
      message: "durationSeconds must be between 3600 and the role's longest session.",
      details: [{ field: 'assumeRoleInfo.durationSeconds' }],
    })
    return true
  })
})

test('the SDK is silent', async (t) => {
  const sandbox = await startSandbox()
  t.after(sandbox.close)
  const log = t.mock.method(console, 'log', () => {})
  await officialSts(sandbox.sts.url).assumeRole({ assumeRoleInfo: { roleJrn, roleSessionName: 'upload@alice' } })
  assert.equal(log.mock.callCount(), 0)
})
