import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createFaults, type Faults, withFaults } from './faults.ts'
import { isLoopback, urlOf } from './loopback.ts'
import { createOssHandler, type OssHandler } from './oss/handler.ts'
import type { ExpirationZone } from './sts/expiration.ts'
import { createStsHandler, type StsHandler } from './sts/handler.ts'
import { createTls, type Tls } from './tls.ts'
import { createWorld, type Scenario, type World } from './world.ts'

/** Addresses and contents of the sandbox. Port 0 takes any free port. */
export type SandboxOptions = Readonly<{
  scenario?: Scenario
  /** A loopback address, because the keys of this world are public in its source. */
  host?: string
  stsPort?: number
  stsHttpsPort?: number
  ossPort?: number
  ossHttpsPort?: number
  expirationZone?: ExpirationZone
}>

/** The two addresses of an endpoint, without a slash at the end. SDKs frame bodies differently over http and https. */
export type Endpoint = Readonly<{ url: string; httpsUrl: string }>

/** A running JD Cloud: its world, its two endpoints, and how to stop it. */
export type Sandbox = Readonly<{
  world: World
  sts: Endpoint & Readonly<{ faults: Faults; asked: StsHandler['asked'] }>
  oss: Endpoint & Readonly<{ faults: Faults; store: OssHandler['store'] }>
  /** The certificate of the CA that https clients must trust, a PEM file. */
  caFile: string
  /** The throwaway CA, for further servers. */
  tls: Tls
  /** Stops all at once: open, idle and hanging connections are cut. */
  close(): Promise<void>
}>

/** @throws RangeError if `host` is not a loopback address. Rejects if a port is taken. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { scenario, host = '127.0.0.1', expirationZone = 'UTC' } = options
  const { stsPort = 0, stsHttpsPort = 0, ossPort = 0, ossHttpsPort = 0 } = options
  if (!isLoopback(host)) throw new RangeError(`host must be a loopback address, such as 127.0.0.1, and not ${host}`)

  const world = createWorld(scenario)
  const stsHandler = createStsHandler(world, { expirationZone, onInternalError })
  const ossHandler = createOssHandler(world, { onInternalError })
  const tls = await createTls()
  const started: { close(): Promise<void> }[] = []
  const close = async () => void (await Promise.all([...started.map((server) => server.close()), tls.close()]))

  async function start(listener: Parameters<typeof withFaults>[1], port: number, httpsPort: number) {
    const faults = createFaults()
    const server = createServer(withFaults(faults, listener))
    server.listen(port, host)
    await once(server, 'listening')
    started.push({ close: () => stop(server) })
    const front = await tls.listen(server, { host, port: httpsPort })
    started.push(front)
    return { url: urlOf('http', server), httpsUrl: front.url, faults }
  }

  try {
    const sts = await start(stsHandler, stsPort, stsHttpsPort)
    const oss = await start(ossHandler, ossPort, ossHttpsPort)
    return {
      world,
      sts: { ...sts, asked: stsHandler.asked },
      oss: { ...oss, store: ossHandler.store },
      caFile: tls.caFile,
      tls,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A bug of the sandbox must not look like a fault of JD Cloud. */
function onInternalError(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
