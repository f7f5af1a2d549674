import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'

/** A request exactly as it came over the wire. */
export type Captured = Readonly<{
  method: string
  path: string
  headers: Readonly<Record<string, string>>
  body: Buffer
}>

/** A server on loopback that answers everything with an empty document and keeps what it was sent. */
export async function capture(t: TestContext): Promise<{ url: string; requests: readonly Captured[] }> {
  const requests: Captured[] = []
  const server = createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray())
    const headers = Object.entries(req.headersDistinct).map(([name, values = []]) => [name, values.join(',')])
    requests.push({ method: req.method ?? '', path: req.url ?? '', headers: Object.fromEntries(headers), body })
    res.setHeader('content-type', 'application/json')
    res.end('{"requestId":"captured","result":{}}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close().closeAllConnections())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port')
  return { url: `http://127.0.0.1:${address.port}`, requests }
}
