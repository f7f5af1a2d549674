import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startSandbox } from '../../../sandbox/index.ts'
import { mintToken } from '../../../sandbox/issuer.ts'
import { sandboxEnvironment } from '../../../sandbox/local.ts'
import { buildApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { CredentialSource } from '../../../src/sts/credentials.ts'
import { createJdcloudSts } from '../../../src/sts/jdcloud.ts'
import { captureLogs } from '../../helpers/logs.ts'

const SHORT_MS = 110_000

/** A service and a sandbox that clients reach over https, with the settings that the examples read. */
export type World = Awaited<ReturnType<typeof startWorld>>

/**
 * `shortSessions`: the first session lasts for less than two minutes and is paid out all the same, which the service
 * never does otherwise. Every SDK then refreshes when it is used next: Java v2, the latest, does two minutes ahead.
 */
export async function startWorld(t: TestContext, { shortSessions = false } = {}) {
  const sandbox = await startSandbox()
  t.after(sandbox.close)
  const env = {
    ...sandboxEnvironment(sandbox),
    OSS_ENDPOINT: sandbox.oss.httpsUrl,
    AUDIT_LOG: 'none',
    // What else runs on the machine must not decide how a test ends.
    OVERLOAD_EVENT_LOOP_DELAY_MS: '0',
  }
  const config = readConfig(env, { sandbox: true })
  let passedMs = 0
  let first: string | undefined
  const [target] = config.targets
  if (target?.sts.kind !== 'jdcloud') throw new Error('the sandbox is no JD Cloud')
  const sts = createJdcloudSts({ ...target.sts, ...config.calls })
  const firstOneShort: CredentialSource = {
    ...sts,
    async assumeRole(request, options) {
      const credentials = await sts.assumeRole(request, options)
      if (first !== undefined) return credentials
      first = credentials.accessKey
      return { ...credentials, expiresAt: Date.now() + SHORT_MS }
    },
  }
  const logs = captureLogs()
  const { app } = await buildApp(
    shortSessions ? { ...config, cache: { ...config.cache, minValiditySeconds: 10 } } : config,
    {
      logger: logs.logger,
      sandbox: true,
      clock: {
        ...systemClock(),
        now: () => Date.now() + passedMs,
        monotonic: () => performance.now() + passedMs,
      },
      source: shortSessions ? firstOneShort : sts,
    },
  )
  t.after(() => app.close())
  await app.ready()
  const front = await sandbox.tls.listen(app.server, { host: '127.0.0.1', port: 0 })
  t.after(front.close)

  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-clients-'))
  t.after(() => rm(directory, { recursive: true }))
  const tokenFile = join(directory, 'token')
  const setToken = (token: string) => writeFile(tokenFile, token)
  const mint = (scope: string) => mintToken({ sub: 'alice', claims: { scope } })
  await setToken(await mint('oss.files'))

  return {
    sandbox,
    url: front.url,
    directory,
    mint,
    setToken,
    /** Once for each request that was answered with credentials. */
    vends: () => logs.lines().filter(({ msg }) => msg === 'vended').length,
    /** Lets the first session end at the store and at the service, as it would two minutes later. */
    endFirstSession() {
      passedMs = SHORT_MS
      const { lookup } = sandbox.world.sessions
      sandbox.world.sessions.lookup = (accessKey, token) => {
        const found = lookup(accessKey, token)
        return found.status === 'valid' && accessKey === first ? { ...found, status: 'expired' } : found
      }
    },
    /** Nothing of this machine's own configuration. */
    env: {
      PATH: process.env.PATH ?? '',
      HOME: directory,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_S3: sandbox.oss.httpsUrl,
      AWS_REGION: 'cn-north-1',
      OSS_BUCKET: 'test-app',
      OSS_FOLDER: 'users/alice/',
      OSS_FOREIGN_FOLDER: 'users/bob/',
    },
    /** The three ways in. */
    rest: { OSS_VEND_URL: front.url, OSS_VEND_POLICY: 'user-files', OSS_VEND_TOKEN_FILE: tokenFile },
    container: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${front.url}/v1/aws/container-credentials/user-files`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    },
    webIdentity: {
      AWS_ENDPOINT_URL_STS: `${front.url}/v1/aws/sts`,
      AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/user-files',
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    },
  }
}
