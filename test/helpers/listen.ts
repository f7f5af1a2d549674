import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Test } from 'tap'
import type { ServerCertificate } from './certificates.ts'

/** A server on a free loopback port, gone with the test; with a certificate, by TLS. */
export async function listen(t: Test, handler: RequestListener, certificate?: ServerCertificate): Promise<string> {
  const server = certificate ? createTlsServer(certificate, handler) : createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return `${certificate ? 'https' : 'http'}://127.0.0.1:${address.port}`
}
