import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { fromHttp } from '@aws-sdk/credential-provider-http'
import { fromTokenFile } from '@aws-sdk/credential-provider-web-identity'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, outcome, startService } from './service.ts'

const run = promisify(execFile)
const PYTHON = process.env.INTEROP_PYTHON ?? 'python3'
const python = process.env.REQUIRE_INTEROP !== undefined || spawnSync(PYTHON, ['-c', 'import boto3']).status === 0

let rgw: Rgw
before(async () => {
  if (!skip) rgw = await startRgw()
})
after(() => rgw?.stop())

async function start(t: TestContext) {
  const { url, tokenOf } = await startService(t, rgw)
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-'))
  t.after(() => rm(directory, { recursive: true }))
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, tokenOf('alice'))
  return { url, token: tokenOf('alice'), tokenFile, directory }
}

async function opensAlicesFolder(t: TestContext, credentials: NonNullable<S3ClientConfig['credentials']>) {
  const options = { region: 'us-east-1', forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' } as const
  const client = new S3Client({ ...options, endpoint: rgw.endpoint, maxAttempts: 1, credentials })
  t.after(() => client.destroy())
  const put = (Key: string) => outcome(client.send(new PutObjectCommand({ Bucket: rgw.bucket, Key, Body: 'hello' })))
  assert.equal(await put('users/alice/1.txt'), 'ok')
  assert.equal(await put('users/bob/1.txt'), 'AccessDenied')
}

test("the JavaScript SDK's own providers fetch sessions of Ceph", { skip }, async (t) => {
  await createBucket(t, rgw)
  const { url, token, tokenFile } = await start(t)
  await opensAlicesFolder(
    t,
    fromHttp({
      awsContainerCredentialsFullUri: `${url}/v1/aws/container-credentials/user-upload`,
      awsContainerAuthorizationToken: token,
    }),
  )
  await opensAlicesFolder(
    t,
    fromTokenFile({
      webIdentityTokenFile: tokenFile,
      roleArn: 'arn:aws:iam::000000000000:role/user-upload',
      roleSessionName: 'nightly',
      clientConfig: { endpoint: `${url}/v1/aws/sts`, region: 'us-east-1' },
    }),
  )
})

test('boto3 fetches sessions of Ceph', { skip: skip || (python ? false : 'python3 has no boto3') }, async (t) => {
  const { url, token, tokenFile, directory } = await start(t)
  const rows = [
    {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/aws/container-credentials/user-upload`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
    },
    {
      AWS_ENDPOINT_URL_STS: `${url}/v1/aws/sts`,
      AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/user-upload',
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    },
  ]
  for (const row of rows) {
    const { PATH, PYENV_ROOT } = process.env
    const env = { PATH, PYENV_ROOT, HOME: directory, PYTHONDONTWRITEBYTECODE: '1', ...row }
    const script = join(import.meta.dirname, '../boto.py')
    const { stdout } = await run(PYTHON, [script, rgw.endpoint, 'users/alice/2.txt', 'users/bob/2.txt'], { env })
    const result: unknown = JSON.parse(stdout)
    assert.ok(typeof result === 'object' && result !== null)
    assert.deepEqual({ ...result, 'users/alice/2.txt': 200, 'users/bob/2.txt': 'AccessDenied' }, result)
  }
})
