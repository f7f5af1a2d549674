import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createFaults, type Faults, withFaults } from './faults.ts'
import { isLoopback } from './loopback.ts'
import { createOssHandler, type OssHandler } from './oss/handler.ts'
import type { ExpirationZone } from './sts/expiration.ts'
import { createStsHandler, type StsHandler } from './sts/handler.ts'
import { createWorld, type Scenario, type World } from './world.ts'

/** Addresses and contents of the sandbox. Port 0 takes any free port. */
export type SandboxOptions = Readonly<{
  scenario?: Scenario
  /** A loopback address, because the keys of this world are public in its source. */
  host?: string
  stsPort?: number
  ossPort?: number
  expirationZone?: ExpirationZone
}>

/** A running JD Cloud: its world, its two endpoints (`url` without a slash at the end), and how to stop it. */
export type Sandbox = Readonly<{
  world: World
  sts: Readonly<{ url: string; faults: Faults; asked: StsHandler['asked'] }>
  oss: Readonly<{ url: string; faults: Faults; store: OssHandler['store'] }>
  /** Stops both at once: open, idle and hanging connections are cut. */
  close(): Promise<void>
}>

/** @throws RangeError if `host` is not a loopback address. Rejects if a port is taken. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { scenario, host = '127.0.0.1', stsPort = 0, ossPort = 0, expirationZone = 'UTC' } = options
  if (!isLoopback(host)) throw new RangeError(`host must be a loopback address, such as 127.0.0.1, and not ${host}`)

  const world = createWorld(scenario)
  const stsHandler = createStsHandler(world, { expirationZone, onInternalError })
  const ossHandler = createOssHandler(world, { onInternalError })
  const sts = await start(stsHandler, host, stsPort)
  try {
    const oss = await start(ossHandler, host, ossPort)
    return {
      world,
      sts: { url: sts.url, faults: sts.faults, asked: stsHandler.asked },
      oss: { url: oss.url, faults: oss.faults, store: ossHandler.store },
      close: async () => void (await Promise.all([stop(sts.server), stop(oss.server)])),
    }
  } catch (error) {
    await stop(sts.server)
    throw error
  }
}

/** A bug of the sandbox must not look like a fault of JD Cloud. */
function onInternalError(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}

async function start(listener: Parameters<typeof withFaults>[1], host: string, port: number) {
  const faults = createFaults()
  const server = createServer(withFaults(faults, listener))
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port')
  const authority = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { server, faults, url: `http://${authority}:${address.port}` }
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
