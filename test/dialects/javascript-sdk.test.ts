import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { fromHttp } from '@aws-sdk/credential-provider-http'
import { fromProcess } from '@aws-sdk/credential-provider-process'
import { fromTokenFile } from '@aws-sdk/credential-provider-web-identity'
import t, { type Test } from 'tap'
import { startSandbox } from '../../sandbox/index.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const token = mint(claims())

/** The service on a port, before a sandbox, with the token in a file. */
async function start(t: Test, env: Record<string, string> = {}) {
  const sandbox = await startSandbox()
  t.teardown(() => sandbox.close())
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const { app } = await build(t, { env: { ...jdcloud, ...env }, realSts: true })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const directory = t.testdir({ token: `${token}\n` })
  return { sandbox, url, directory, tokenFile: join(directory, 'token') }
}

type Credentials = NonNullable<S3ClientConfig['credentials']>

function putWith(t: Test, endpoint: string, credentials: Credentials) {
  const s3 = new S3Client({
    endpoint,
    region: 'cn-north-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    credentials,
  })
  t.teardown(() => s3.destroy())
  return (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'test-app', Key, Body: 'hello' }))
}

/** What the SDK can do with these credentials: only its own folder is open. */
async function mustOpenAlicesFolder(t: Test, endpoint: string, credentials: Credentials) {
  const put = putWith(t, endpoint, credentials)
  t.equal((await put('users/alice/1.txt')).$metadata.httpStatusCode, 200)
  await t.rejects(put('users/bob/1.txt'), { name: 'AccessDenied' })
}

t.test('fromHttp fetches credentials that work, with a bare token, a scheme, or a file', async (t) => {
  const { sandbox, url, directory } = await start(t)
  const awsContainerCredentialsFullUri = `${url}/v1/aws/container-credentials/user-upload`
  const file = join(directory, 'authorization')
  writeFileSync(file, `Bearer ${token}`)
  const rows = [
    { awsContainerAuthorizationToken: token },
    { awsContainerAuthorizationToken: `Bearer ${token}` },
    { awsContainerAuthorizationTokenFile: file },
  ]
  for (const row of rows) {
    const credentials = fromHttp({ awsContainerCredentialsFullUri, maxRetries: 0, ...row })
    const { expiration } = await credentials()
    t.ok(Number(expiration) - Date.now() > 15 * 60_000)
    await mustOpenAlicesFolder(t, sandbox.oss.url, credentials)
  }
  t.equal(sandbox.sts.asked.length, 1)
})

t.test('fromHttp takes parameters in the address, and shows why it was refused', async (t) => {
  const { url } = await start(t)
  const ask = (path: string) =>
    fromHttp({
      awsContainerCredentialsFullUri: `${url}/v1/aws/container-credentials/${path}`,
      awsContainerAuthorizationToken: token,
      maxRetries: 0,
    })()
  t.match(await ask('album-upload?album=trip'), { accessKeyId: /./u, sessionToken: /./u })
  const refused = (path: string) => ask(path).catch((error: unknown) => error)
  t.match(await refused('album-upload?album=a/b'), { Code: 'unsafe_value', Message: /parameter "album"/u })
  t.match(await refused('user-files'), { Code: 'policy_not_allowed', Message: /claim "scope"/u })
})

t.test('fromTokenFile assumes a role that is the name of a policy', async (t) => {
  const { sandbox, url, tokenFile } = await start(t, { AWS_STS_AT_ROOT: 'true' })
  const ask = (
    endpoint: string,
    options: Readonly<{ role?: string; roleSessionName?: string; durationSeconds?: number }>,
  ) => {
    const { role = 'user-upload', ...rest } = options
    return fromTokenFile({
      webIdentityTokenFile: tokenFile,
      roleArn: `arn:aws:iam::000000000000:role/${role}`,
      clientConfig: { endpoint, region: 'cn-north-1', maxAttempts: 1 },
      ...rest,
    })
  }
  for (const endpoint of [`${url}/v1/aws/sts`, url]) {
    await mustOpenAlicesFolder(t, sandbox.oss.url, ask(endpoint, { durationSeconds: 900 }))
  }
  await ask(url, { roleSessionName: 'nightly-build' })()
  t.strictSame(
    sandbox.sts.asked.map(({ roleSessionName }) => roleSessionName),
    ['user-upload@alice', 'user-upload@alice@@nightly-build'],
    'the name that the SDK makes up is left out',
  )
  await t.rejects(ask(url, { role: 'user-files' })(), { name: 'AccessDenied', message: /claim "scope"/u })
  writeFileSync(tokenFile, mint(claims({ exp: 1_000_000_000 })))
  await t.rejects(ask(url, {})(), { name: 'ExpiredTokenException', message: /The token is expired/u })
  writeFileSync(tokenFile, mint(claims({ aud: 'x' })))
  await t.rejects(ask(url, {})(), { name: /InvalidIdentityToken/u })
})

t.test('credentials are narrowed before they are handed on', async (t) => {
  const { sandbox, url, tokenFile } = await start(t)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::test-app/users/alice/in/*' },
  })
  const inbox = [
    fromHttp({
      awsContainerCredentialsFullUri: `${url}/v1/aws/container-credentials/user-upload?restrictTo.prefix=users/alice/in/`,
      awsContainerAuthorizationToken: token,
      maxRetries: 0,
    }),
    fromTokenFile({
      webIdentityTokenFile: tokenFile,
      roleArn: 'arn:aws:iam::000000000000:role/user-upload',
      policy: Policy,
      clientConfig: { endpoint: `${url}/v1/aws/sts`, region: 'cn-north-1', maxAttempts: 1 },
    }),
  ]
  for (const credentials of inbox) {
    const put = putWith(t, sandbox.oss.url, credentials)
    t.equal((await put('users/alice/in/1.txt')).$metadata.httpStatusCode, 200)
    for (const key of ['users/alice/1.txt', 'users/alice/in', 'users/alice/in2/1.txt', 'users/bob/in/1.txt']) {
      await t.rejects(put(key), { name: 'AccessDenied' }, key)
    }
  }
  t.equal(sandbox.sts.asked.length, 1, 'one and the same session')
})

t.test('fromProcess runs oss-vend credentials', async (t) => {
  const { sandbox, url, directory, tokenFile } = await start(t)
  const command = `${process.execPath} --import=${import.meta.resolve('tsx')} ${join(process.cwd(), 'src/main.ts')} credentials`
  const profile = `credential_process = ${command} --url ${url} --policy user-upload --token-file ${tokenFile}`
  writeFileSync(join(directory, 'config'), `[profile vend]\n${profile}\n`)
  process.env.XDG_CACHE_HOME = directory
  const credentials = fromProcess({
    profile: 'vend',
    configFilepath: join(directory, 'config'),
    filepath: join(directory, 'none'),
  })
  await mustOpenAlicesFolder(t, sandbox.oss.url, credentials)
  const [first, again] = [await credentials(), await credentials()]
  t.equal(first.accessKeyId, again.accessKeyId)
  t.ok(first.expiration instanceof Date)
  writeFileSync(tokenFile, 'nonsense')
  await t.rejects(credentials(), { message: /The token is not a JWT/u })
})
