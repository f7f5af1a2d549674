import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { rename, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { SignJWT } from 'jose'
import { type Sandbox, startSandbox } from './index.ts'
import { SANDBOX_ISSUER } from './issuer.ts'

/** How long the token is valid. */
const HOURS = 12

/** Where the sandbox listens. Port 0 takes any free port. */
export type ContainerPorts = Readonly<{ sts: number; oss: number; relay: number }>

/**
 * Starts a sandbox for a service that runs beside it in a container, with production's checks. These refuse the published
 * secret of the sandbox's issuer, so the issuer has a key pair of this run: `issuer.pem` in the folder is the public key,
 * and `token` is a token of alice.
 *
 * `relay` is a port on all addresses that leads to OSS, which itself is on loopback: a container publishes no loopback.
 */
export async function startContainer(
  folder: string,
  ports: ContainerPorts,
): Promise<{ sandbox: Sandbox; relayPort: number; close(): Promise<void> }> {
  // Of an earlier run: the health check must not take it for this one's.
  await rm(join(folder, 'token'), { force: true })
  const sandbox = await startSandbox({ stsPort: ports.sts, ossPort: ports.oss })
  const oss = new URL(sandbox.oss.url)
  const relay = createServer((socket) => {
    pipeline(socket, connect(Number(oss.port), oss.hostname), socket, () => {})
  })
  relay.listen(ports.relay, '0.0.0.0')
  await once(relay, 'listening')

  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const token = await new SignJWT({ scope: 'oss.upload oss.files oss.download' })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .setIssuer(SANDBOX_ISSUER.issuer)
    .setAudience(SANDBOX_ISSUER.audience)
    .setSubject('alice')
    .setIssuedAt()
    .setExpirationTime(`${HOURS}h`)
    .sign(privateKey)
  await write(folder, 'issuer.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString())
  // The last one: its presence says that all is ready.
  await write(folder, 'token', token)
  return {
    sandbox,
    relayPort: portOf(relay.address()),
    async close() {
      relay.close()
      await sandbox.close()
    },
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port')
  return address.port
}

/** The service reads the folder while this writes, and must never see half a file. */
async function write(folder: string, name: string, text: string): Promise<void> {
  await writeFile(join(folder, `.${name}`), text)
  await rename(join(folder, `.${name}`), join(folder, name))
}
