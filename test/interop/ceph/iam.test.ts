import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { createAwsSts } from '../../../src/sts/aws.ts'
import { run } from '../../helpers/cli.ts'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, environment, outcome, s3, startService } from './service.ts'

let rgw: Rgw
const roleArn = 'arn:aws:iam:::role/least-role'
before(async () => {
  if (!skip) rgw = await startRgw()
})
after(() => rgw?.stop())

const Bucket = 'test-app'
const put = (client: S3Client, Key: string) => outcome(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })))

test('a role with the documents of oss-vend iam serves the templates, and nothing else', { skip }, async (t) => {
  await createBucket(t, rgw)
  const env = { AWS_STS_ROLE_ARN: roleArn }
  const document = async (name: string) => {
    const args = ['iam', '--user', 'test-iam', '--document', name]
    const { exitCode, out, err } = await run(args, { env: { ...environment(rgw), ...env } })
    assert.equal(exitCode, 0, err)
    return out
  }
  const trust = await document('trust')
  await rgw.command('role', 'create', '--role-name=least-role', `--assume-role-policy-doc=${trust}`)
  const role = ['--role-name=least-role', '--policy-name=least', `--policy-doc=${await document('role')}`]
  await rgw.command('role-policy', 'put', ...role)

  const { vend } = await startService(t, rgw, env)
  const alice = s3(t, rgw, await vend('alice', { policy: 'user-files' }))
  const own = { Bucket, Key: 'users/alice/1.txt' }
  assert.equal(await put(alice, own.Key), 'ok')
  assert.equal(await outcome(alice.send(new GetObjectCommand(own))), 'ok')
  assert.equal(await outcome(alice.send(new DeleteObjectCommand(own))), 'ok')
  assert.equal(await put(alice, 'users/bob/1.txt'), 'AccessDenied')
  const trip = s3(t, rgw, await vend('alice', { policy: 'album-upload', params: { album: 'trip' } }))
  assert.equal(await put(trip, 'users/alice/albums/trip/1.jpg'), 'ok')

  // Whoever leaves the session policy wide gets what the role has.
  const sts = createAwsSts(
    {
      endpoint: rgw.endpoint,
      role: roleArn,
      region: 'us-east-1',
      ...rgw.iam,
      connectTimeoutMs: 5000,
      timeoutMs: 10_000,
      connections: 1,
    },
    {
      translate: () =>
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] }],
        }),
    },
  )
  t.after(() => sts.close())
  const grant = { roleSessionName: 'wide', policy: '', durationSeconds: 900 }
  const wide = s3(t, rgw, { ...(await sts.assumeRole(grant)), expiration: '' })
  assert.equal(await put(wide, 'users/bob/1.txt'), 'ok')
  for (const key of ['1.txt', 'users/1.txt', 'public/1.txt', 'other/a/1.txt']) {
    assert.equal(await put(wide, key), 'AccessDenied', key)
  }
  assert.equal(await outcome(wide.send(new ListObjectsV2Command({ Bucket }))), 'AccessDenied')
})
