import type { FastifyBaseLogger } from 'fastify'
import { buildApp, type Service } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import type { Environment } from '../src/config/environment.ts'
import { createLogger } from '../src/observe/log.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from './index.ts'
import { SANDBOX_ISSUER } from './issuer.ts'
import type { CorsRule } from './oss/cors-rules.ts'
import { SANDBOX_KEYS } from './world.ts'

const ANY_PAGE: CorsRule = {
  origins: ['*'],
  methods: ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'],
  headers: ['*'],
  exposed: ['ETag'],
  maxAgeSeconds: undefined,
  id: undefined,
}

/**
 * A service and its sandbox, both on loopback. The service has two faces: one over http, whose answers name the http
 * address of OSS, for pages in a browser; and one over https, whose answers name the https address, for SDKs that
 * trust `sandbox.caFile`.
 */
export type Local = Readonly<{
  sandbox: Sandbox
  /** The face over http. */
  service: Service
  url: string
  /** The face over https: a service of its own behind TLS, as an operator puts a proxy in front of one. */
  secure: Service
  httpsUrl: string
  close(): Promise<void>
}>

/** `port` and `httpsPort` are the ports of the service; 0 takes any free port. */
export type LocalOptions = SandboxOptions &
  Readonly<{
    port?: number
    httpsPort?: number
    /** By default, the service logs to standard output. */
    logger?: FastifyBaseLogger
    /** Further variables of the service. */
    env?: Environment
    /** Adds routes to the service before it listens. */
    extend?: (app: Service['app'], sandbox: Sandbox) => Promise<void>
  }>

/** The environment of a service that uses this sandbox and trusts its issuer. */
export function sandboxEnvironment({ world, sts, oss }: Sandbox): Record<string, string> {
  return {
    JWT_ISSUER: SANDBOX_ISSUER.issuer,
    JWT_AUDIENCE: SANDBOX_ISSUER.audience,
    JWT_SECRET: SANDBOX_ISSUER.secret,
    JDCLOUD_ACCESS_KEY: SANDBOX_KEYS.testIam.accessKey,
    JDCLOUD_SECRET_KEY: SANDBOX_KEYS.testIam.secretKey,
    JDCLOUD_ACCOUNT_ID: world.accountId,
    JDCLOUD_ROLE_NAME: 'test-role',
    JDCLOUD_STS_ENDPOINT: sts.url,
    OSS_REGION: world.region,
    OSS_ENDPOINT: oss.url,
    OSS_BUCKET: 'test-app',
  }
}

/** Starts all in this process. */
export async function startLocal({
  port = 0,
  httpsPort = 0,
  logger,
  env,
  extend,
  ...options
}: LocalOptions): Promise<Local> {
  const sandbox = await startSandbox(options)
  const started: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const one of started.toReversed()) await one.close()
    await sandbox.close()
  }

  async function build(face: Environment) {
    // The transcript of a demo is on standard output.
    const environment = { AUDIT_LOG: 'none', ...env, ...sandboxEnvironment(sandbox), CORS_ORIGINS: '*', ...face }
    const config = readConfig(environment, { sandbox: true })
    const service = await buildApp(config, {
      logger: logger ?? createLogger(config.logLevel),
      now: sandbox.world.clock,
      sandbox: true,
    })
    await extend?.(service.app, sandbox)
    started.push({ close: async () => void (await service.app.close()) })
    return { service, host: config.host, listen: () => service.app.listen({ host: config.host, port: config.port }) }
  }

  try {
    // An operator sets such rules on the real bucket, so that pages can upload.
    for (const bucket of sandbox.oss.store.values()) bucket.cors.rules = [ANY_PAGE]
    // Both are built before one listens, because a service that listens takes the building of another for overload.
    const plain = await build({ PORT: String(port) })
    const secure = await build({ PORT: '0', OSS_ENDPOINT: sandbox.oss.httpsUrl })
    await secure.listen()
    const url = await plain.listen()
    const front = await sandbox.tls.listen(secure.service.app.server, { host: secure.host, port: httpsPort })
    started.push(front)
    return { sandbox, service: plain.service, url, secure: secure.service, httpsUrl: front.url, close }
  } catch (error) {
    await close()
    throw error
  }
}
