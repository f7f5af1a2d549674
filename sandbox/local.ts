import type { FastifyBaseLogger } from 'fastify'
import { buildApp, type Service } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from './index.ts'
import { SANDBOX_ISSUER } from './issuer.ts'
import { SANDBOX_KEYS } from './world.ts'

/** The service and the sandbox that it vends from, both listening on loopback. */
export type Local = Readonly<{ sandbox: Sandbox; service: Service; url: string; close(): Promise<void> }>

/** `port` is the service's; 0 takes any that is free. */
export type LocalOptions = SandboxOptions & Readonly<{ port?: number; logger: FastifyBaseLogger }>

/** Starts both in this process. */
export async function startLocal({ port = 0, logger, ...options }: LocalOptions): Promise<Local> {
  const sandbox = await startSandbox(options)
  try {
    const config = readConfig(
      {
        PORT: String(port),
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
        CORS_ORIGINS: '*',
      },
      { sandbox: true },
    )
    const service = await buildApp(config, { logger, now: sandbox.world.clock, sandbox: true })
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
