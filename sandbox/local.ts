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

/** A service and its sandbox, both on loopback. */
export type Local = Readonly<{ sandbox: Sandbox; service: Service; url: string; close(): Promise<void> }>

/** `port` is the port of the service; 0 takes any free port. */
export type LocalOptions = SandboxOptions &
  Readonly<{
    port?: number
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

/** Starts both in this process. */
export async function startLocal({ port = 0, logger, env, extend, ...options }: LocalOptions): Promise<Local> {
  const sandbox = await startSandbox(options)
  try {
    const environment = { ...env, ...sandboxEnvironment(sandbox), PORT: String(port), CORS_ORIGINS: '*' }
    const config = readConfig(environment, { sandbox: true })
    // An operator sets such rules on the real bucket, so that pages can upload.
    for (const bucket of sandbox.oss.store.values()) bucket.cors.rules = [ANY_PAGE]
    const service = await buildApp(config, {
      logger: logger ?? createLogger(config.logLevel),
      now: sandbox.world.clock,
      sandbox: true,
    })
    await extend?.(service.app, sandbox)
    const url = await service.app.listen({ host: config.host, port: config.port })
    const close = async () => {
      await service.app.close()
      await sandbox.close()
    }
    return { sandbox, service, url, close }
  } catch (error) {
    await sandbox.close()
    throw error
  }
}
