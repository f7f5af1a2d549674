import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { makeServerCertificate } from './certificates.ts'
import { urlOf } from './loopback.ts'

/** A second address of an HTTP server, and how to close it. */
export type Front = Readonly<{ url: string; close(): Promise<void> }>

/** Makes HTTP servers reachable over TLS. */
export type Tls = Readonly<{
  /** The certificate of the CA that clients must trust, a PEM file in a directory of its own. */
  caFile: string
  /** Starts a TLS listener that hands its connections to the server. */
  listen(server: HttpServer, address: Readonly<{ host: string; port: number }>): Promise<Front>
  /** Removes the file. */
  close(): Promise<void>
}>

/** Makes a throwaway CA. Its certificate is in a file, and the key of the listeners only in memory. */
export async function createTls(now: number = Date.now()): Promise<Tls> {
  const { ca, cert, key } = await makeServerCertificate(now)
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-sandbox-'))
  const caFile = join(directory, 'ca.pem')
  await writeFile(caFile, ca)

  return {
    caFile,
    async listen(server, { host, port }) {
      const front = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
        server.emit('connection', socket)
      })
      // The HTTP server knows a connection only once its handshake is over.
      const open = new Set<Socket>()
      front.on('connection', (socket: Socket) => {
        open.add(socket)
        socket.once('close', () => open.delete(socket))
      })
      front.listen(port, host)
      await once(front, 'listening')
      return {
        url: urlOf('https', front),
        async close() {
          const closed = once(front, 'close')
          front.close()
          for (const socket of open) socket.destroy()
          await closed
        },
      }
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}
