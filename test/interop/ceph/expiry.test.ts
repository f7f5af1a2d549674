import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { s3Translator } from '../../../src/policy/language/s3.ts'
import { createAwsSts } from '../../../src/sts/aws.ts'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, outcome, s3 } from './service.ts'

/** Shorter than the service asks for: this Ceph gives it, so that the end can be waited for. */
const SECONDS = 4

let rgw: Rgw
before(async () => {
  if (!skip) rgw = await startRgw({ minSessionSeconds: 1 })
})
after(() => rgw?.stop())

test('a session ends, and not before the time that its caller is told', { skip }, async (t) => {
  await createBucket(t, rgw)
  const sts = createAwsSts(
    {
      endpoint: rgw.endpoint,
      role: rgw.roleArn,
      region: 'us-east-1',
      ...rgw.iam,
      connectTimeoutMs: 1000,
      timeoutMs: 5000,
      connections: 4,
    },
    { translate: s3Translator({ region: 'us-east-1', account: '000000000000', partition: 'aws' }) },
  )
  t.after(sts.close)
  const Resource = ['jrn:oss:*:000000000000:test-app/users/alice/*']
  const Statement = [{ Effect: 'Allow', Action: ['oss:PutObject'], Resource }]
  const policy = JSON.stringify({ Version: '3', Statement })
  const request = { roleSessionName: 'user-upload@alice', policy, durationSeconds: SECONDS }
  const session = await sts.assumeRole(request)
  assert.ok(session.expiresAt <= Date.now() + SECONDS * 1000)

  const put = (keys: typeof session) =>
    outcome(s3(t, rgw, keys).send(new PutObjectCommand({ Bucket: rgw.bucket, Key: 'users/alice/1', Body: 'x' })))
  assert.equal(await put(session), 'ok')
  for (;;) {
    const code = await put(session)
    const now = Date.now()
    if (code !== 'ok') {
      assert.equal(code, 'AccessDenied')
      assert.ok(now >= session.expiresAt, 'it was not told later than it is')
      break
    }
    assert.ok(now < session.expiresAt + 20_000, 'it ends')
    await delay(200)
  }
  assert.equal(await put(await sts.assumeRole(request)), 'ok', 'and the next one works')
})
