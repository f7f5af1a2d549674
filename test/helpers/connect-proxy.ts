import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Test } from 'tap'
import type { ServerCertificate } from './certificates.ts'

/** What a proxy does with a request to connect: it has the socket of its client. */
export type OnConnect = (client: Duplex, request: IncomingMessage) => void

/** Tunnels to a port of this machine, whatever host is asked for: names are the proxy's to resolve. */
export const tunnelTo =
  (url: string): OnConnect =>
  (client) => {
    const upstream = connect(Number(new URL(url).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    client.on('close', () => upstream.destroy())
  }

/** Sends these bytes in place of an answer, and leaves the connection open. */
export const answerWith =
  (...chunks: readonly (string | Buffer)[]): OnConnect =>
  (client) => {
    for (const chunk of chunks) client.write(chunk)
  }

/** A proxy on a free loopback port, gone with the test, which keeps what it was asked. */
export async function connectProxy(t: Test, onConnect: OnConnect, certificate?: ServerCertificate) {
  const asked: { target: string; headers: IncomingMessage['headers'] }[] = []
  /** Requests that ask for no tunnel. */
  const others: string[] = []
  const sockets = new Set<Socket | Duplex>()
  const server = certificate ? createTlsServer(certificate) : createServer()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('request', (request: IncomingMessage) => others.push(request.url ?? ''))
  server.on('connect', (request: IncomingMessage, client: Duplex) => {
    asked.push({ target: request.url ?? '', headers: request.headers })
    client.on('error', () => {})
    // Node leaves both to this listener: reading to the end of the connection, and ending it.
    client.resume().on('end', () => client.end())
    onConnect(client, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    asked,
    others,
    open: () => sockets.size,
  }
}
