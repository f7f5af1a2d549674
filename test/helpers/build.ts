import type { Test } from 'tap'
import { type AppDependencies, buildApp, type Service } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import type { App } from '../../src/http/fastify.ts'
import type { AssumeRoleRequest, Credentials } from '../../src/sts/credentials.ts'
import { captureAudit } from './audit.ts'
import { captureLogs } from './logs.ts'
import { AUDIENCE, ISSUER, keys } from './tokens.ts'

/** Values that must never be seen anywhere but in a successful answer. */
export const SENTINELS = {
  accessKey: 'SENTINEL-vended-access-key',
  secretKey: 'SENTINEL-vended-secret-key',
  sessionToken: 'SENTINEL-vended-session-token',
  stsAccessKey: 'SENTINEL-long-lived-access-key',
  stsSecretKey: 'SENTINEL-long-lived-secret-key',
} as const

/** An environment that `readConfig` accepts. */
export const environment: Environment = {
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  JWT_SECRET: keys.hmac,
  JDCLOUD_ACCESS_KEY: SENTINELS.stsAccessKey,
  JDCLOUD_SECRET_KEY: SENTINELS.stsSecretKey,
  JDCLOUD_ACCOUNT_ID: '111111111111',
  JDCLOUD_ROLE_NAME: 'test-role',
  JDCLOUD_STS_ENDPOINT: 'http://127.0.0.1:1',
  OSS_REGION: 'cn-north-1',
  OSS_BUCKET: 'test-app',
  // Tests ask more, from one address, than an address may.
  RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
  RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '0',
  RATE_LIMIT_CALLER_PER_MINUTE: '0',
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '0',
  // What else runs on the machine must not decide how a test ends.
  OVERLOAD_EVENT_LOOP_DELAY_MS: '0',
}

/** Changes that make it the environment of a service on an AWS-compatible store. */
export const onAwsSts: Environment = {
  CREDENTIAL_SOURCE: 'aws-sts',
  JDCLOUD_ACCESS_KEY: '',
  JDCLOUD_SECRET_KEY: '',
  JDCLOUD_ACCOUNT_ID: '',
  JDCLOUD_ROLE_NAME: '',
  JDCLOUD_STS_ENDPOINT: '',
  AWS_STS_ENDPOINT: 'http://127.0.0.1:1',
  AWS_STS_ROLE_ARN: 'arn:aws:iam::222222222222:role/test-role',
  AWS_STS_ACCESS_KEY: SENTINELS.stsAccessKey,
  AWS_STS_SECRET_KEY: SENTINELS.stsSecretKey,
  OSS_ENDPOINT: 'https://s3.example.com',
}

/** Changes to the environment, and dependencies that are not the tests' usual ones. */
export type Overrides = Readonly<{
  env?: Environment
  dependencies?: Partial<AppDependencies>
  /** Ask the STS that the environment names, and not the recording source. */
  realSts?: boolean
}>

/** Like `t.test`, but twice: verified tokens are remembered, and are not. `build` reads the setting from the context. */
export const withTokenCacheOnAndOff = (t: Test) => (name: string, run: (t: Test) => Promise<void>) => {
  for (const JWT_CACHE_ENTRIES of ['10000', '0']) {
    t.test(`${name}, JWT_CACHE_ENTRIES=${JWT_CACHE_ENTRIES}`, async (t) => {
      t.context = { ...t.context, env: { JWT_CACHE_ENTRIES } }
      await run(t)
    })
  }
}

/** The app on a source that records what it is asked for and pays out sentinels; torn down with the test. */
export async function build(
  t: Test,
  { env = {}, dependencies = {}, realSts = false }: Overrides = {},
): Promise<{
  app: App
  ops: Service['ops']
  stop: Service['stop']
  reload: Service['reload']
  asked: AssumeRoleRequest[]
  logs: ReturnType<typeof captureLogs>
  /** What the audit wrote to standard output, which is where it writes by default. */
  audit: ReturnType<typeof captureAudit>
}> {
  const asked: AssumeRoleRequest[] = []
  const logs = captureLogs()
  const audit = captureAudit()
  const source = {
    async assumeRole(request: AssumeRoleRequest): Promise<Credentials> {
      asked.push(request)
      const { accessKey, secretKey, sessionToken } = SENTINELS
      return { accessKey, secretKey, sessionToken, expiresAt: Date.now() + request.durationSeconds * 1000 }
    },
    close: async () => {},
  }
  const { env: contextual = {} }: { env?: Environment } = t.context
  const settings = readConfig({ ...environment, ...contextual, ...env })
  const { app, ops, stop, reload } = await buildApp(settings, {
    logger: logs.logger,
    stdout: audit.stdout,
    ...(!realSts && { source }),
    ...dependencies,
  })
  const answers: string[] = []
  let decisions = 0
  app.addHook('onSend', async (request, reply, payload) => {
    const { url = '', config } = request.routeOptions
    if (config.vends) decisions++
    const paidOut = reply.statusCode === 200 && PAYING_OUT.has(url)
    const signed = reply.statusCode === 200 && SIGNING.has(url)
    answers.push(JSON.stringify(reply.getHeaders()), paidOut ? '' : signed ? withoutSigner(payload) : String(payload))
  })
  t.teardown(async () => {
    await app.close()
    mustBeSilent(logs.text(), 'a log line')
    // The one thing of a session that an auditor needs.
    mustBeSilent(audit.text().replaceAll(`"accessKeyId":"${SENTINELS.accessKey}"`, ''), 'an audit event')
    if (settings.audit.log === 'stdout') mustMatch(audit.decisions(), decisions)
    mustBeSilent(answers.join('\n'), 'an answer')
  })
  return { app, ops, stop, reload, asked, logs, audit }
}

/** Routes whose good answers have credentials. */
const PAYING_OUT: ReadonlySet<string> = new Set([
  '/v1/credentials',
  '/v1/aws/container-credentials/:policy',
  '/v1/aws/sts',
  '/v1/aws/sts/',
  '/',
])

/** Routes whose good answers name the session that signed, but never its secret key. */
const SIGNING: ReadonlySet<string> = new Set(['/v1/presigned-urls', '/v1/presigned-posts'])
const withoutSigner = (payload: unknown) =>
  String(payload).replaceAll(SENTINELS.sessionToken, '').replaceAll(SENTINELS.accessKey, '')

/** Whatever a test is about: each request for a decision that was answered has one event, and so has each that was left. */
function mustMatch(events: readonly Readonly<Record<string, unknown>>[], answered: number): void {
  const left = events.filter(({ reason }) => reason === 'aborted').length
  if (events.length < answered || events.length - left > answered)
    throw new Error(`${answered} decisions have ${events.length} audit events`)
}

/** Whatever a test is about: no line that was logged and no refusal has a planted secret or anything like a token. */
function mustBeSilent(text: string, where: string): void {
  const leak = /SENTINEL-(?:vended|long-lived)|eyJ[\w-]{8,}\.[\w-]{8,}/u.exec(text)
  if (leak) throw new Error(`${where} has a secret: ${text.slice(leak.index - 100, leak.index + 20)}`)
}
