import { startSandbox } from '../../sandbox/index.ts'
import { mintToken, SANDBOX_ISSUER } from '../../sandbox/issuer.ts'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'

/** Runs a sandbox until it is ended, and prints the environment of a service that vends from it, then a token. */
const sandbox = await startSandbox()
const environment = {
  JWT_ISSUER: SANDBOX_ISSUER.issuer,
  JWT_AUDIENCE: SANDBOX_ISSUER.audience,
  JWT_SECRET: SANDBOX_ISSUER.secret,
  JDCLOUD_ACCESS_KEY: SANDBOX_KEYS.testIam.accessKey,
  JDCLOUD_SECRET_KEY: SANDBOX_KEYS.testIam.secretKey,
  JDCLOUD_ACCOUNT_ID: sandbox.world.accountId,
  JDCLOUD_ROLE_NAME: 'test-role',
  JDCLOUD_STS_ENDPOINT: sandbox.sts.url,
  OSS_REGION: sandbox.world.region,
  OSS_ENDPOINT: sandbox.oss.url,
  OSS_BUCKET: 'test-app',
}
for (const [name, value] of Object.entries(environment)) process.stdout.write(`${name}=${value}\n`)
process.stdout.write(`TOKEN=${await mintToken({ sub: 'alice', claims: { scope: 'oss.upload' } })}\n`)
