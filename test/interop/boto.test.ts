import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { mintToken } from '../../sandbox/issuer.ts'
import { startLocal } from '../../sandbox/local.ts'
import { PYTHON, skip } from './clients/python.ts'

const run = promisify(execFile)
const here = import.meta.dirname

async function start(t: TestContext) {
  const local = await startLocal({ logger: pino({ level: 'silent' }), env: { AWS_STS_AT_ROOT: 'true' } })
  t.after(local.close)
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-'))
  t.after(() => rm(directory, { recursive: true }))
  const mint = (more = {}) => mintToken({ sub: 'alice', claims: { scope: 'oss.upload', ...more } })
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, await mint())
  /** Nothing of this machine's own configuration. */
  const base = {
    PATH: process.env.PATH,
    HOME: directory,
    PYTHONDONTWRITEBYTECODE: '1',
    PYENV_ROOT: process.env.PYENV_ROOT,
  }
  const put = async (env: Record<string, string>) => {
    const keys = ['users/alice/1.txt', 'users/bob/1.txt']
    const { stdout } = await run(PYTHON, [join(here, 'boto.py'), local.sandbox.oss.url, ...keys], {
      env: { ...base, ...env },
    })
    const result: unknown = JSON.parse(stdout)
    return result
  }
  const cli = async (args: readonly string[], env: Record<string, string>) => {
    const modules = ['-m', 'awscli']
    const options = { env: { ...base, AWS_DEFAULT_REGION: 'cn-north-1', AWS_MAX_ATTEMPTS: '1', ...env } }
    return run(PYTHON, [...modules, '--endpoint-url', local.sandbox.oss.url, ...args], options).then(
      ({ stdout }) => stdout,
      (error: unknown) => String(error),
    )
  }
  return { ...local, mint, tokenFile, put, cli, directory }
}

const opensAlicesFolder = (method: string) => ({
  method,
  'users/alice/1.txt': 200,
  'users/bob/1.txt': 'AccessDenied',
})
function mustMatch(result: unknown, want: Readonly<Record<string, unknown>>) {
  assert.ok(typeof result === 'object' && result !== null)
  assert.deepEqual({ ...result, ...want }, result)
}

test('boto3 takes container credentials, with parameters, and shows why it is refused', { skip }, async (t) => {
  const { url, mint, put } = await start(t)
  const env = (path: string, token: string) => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/aws/container-credentials/${path}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
  })
  const token = await mint()
  mustMatch(await put(env('user-upload', token)), opensAlicesFolder('container-role'))
  mustMatch(await put(env('user-upload', `Bearer ${token}`)), opensAlicesFolder('container-role'))
  mustMatch(await put(env('album-upload?album=trip', token)), { 'users/alice/1.txt': 'AccessDenied' })
  const refused = JSON.stringify(await put(env('user-files', token)))
  assert.match(refused, /policy_not_allowed/u)
})

test('boto3 assumes a role with web identity, at a path and at the root', { skip }, async (t) => {
  const { url, mint, put, tokenFile, sandbox } = await start(t)
  const env = { AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/user-upload', AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile }
  for (const endpoint of [`${url}/v1/aws/sts`, url]) {
    mustMatch(await put({ ...env, AWS_ENDPOINT_URL_STS: endpoint }), opensAlicesFolder('assume-role-with-web-identity'))
  }
  await put({ ...env, AWS_ENDPOINT_URL_STS: url, AWS_ROLE_SESSION_NAME: 'nightly' })
  assert.deepEqual(
    sandbox.sts.asked.map(({ roleSessionName }) => roleSessionName),
    ['user-upload@alice', 'user-upload@alice@@nightly'],
  )
  await writeFile(tokenFile, await mint({ exp: 1_000_000_000 }))
  assert.match(JSON.stringify(await put({ ...env, AWS_ENDPOINT_URL_STS: url })), /ExpiredToken.*The token is expired/u)
})

test('the AWS CLI does all three', { skip }, async (t) => {
  const { url, mint, cli, tokenFile, directory, sandbox } = await start(t)
  const checksum = { AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required' }
  const main = join(here, '../../src/main.ts')
  const command = `${process.execPath} --import=${import.meta.resolve('tsx')} ${main} credentials --url ${url} --policy user-upload --token-file ${tokenFile}`
  const identity = `[profile identity]
role_arn = arn:aws:iam::000000000000:role/user-upload
web_identity_token_file = ${tokenFile}
services = vend
[services vend]
sts =
  endpoint_url = ${url}/v1/aws/sts
`
  const config = join(directory, 'config')
  await writeFile(config, `[profile vend]\ncredential_process = ${command}\n${identity}`)
  const rows = [
    {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/aws/container-credentials/user-upload`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: await mint(),
    },
    {
      AWS_ENDPOINT_URL_STS: `${url}/v1/aws/sts`,
      AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/user-upload',
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    },
    { AWS_CONFIG_FILE: config, AWS_PROFILE: 'vend' },
    { AWS_CONFIG_FILE: config, AWS_PROFILE: 'identity' },
  ]
  for (const [index, row] of rows.entries()) {
    const put = (key: string) =>
      cli(['s3api', 'put-object', '--bucket', 'test-app', '--key', key, '--body', tokenFile], { ...checksum, ...row })
    assert.match(await put(`users/alice/${index}`), /ETag/u)
    assert.match(await put('users/bob/1'), /AccessDenied/u)
  }
  assert.equal(sandbox.sts.asked.length, 1, 'and all have the same session')
})
