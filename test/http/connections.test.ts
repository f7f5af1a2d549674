import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'

t.test('a connection over the limit is refused, and probes on the ops listener still answer', async (t) => {
  const metrics = new Registry()
  const { app, ops } = await build(t, { env: { MAX_CONNECTIONS: '2', OPS_PORT: '0' }, dependencies: { metrics } })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const opsUrl = await ops?.listen({ host: '127.0.0.1', port: 0 })
  const held = [0, 1].map(() => connect({ host: url.hostname, port: Number(url.port) }))
  t.teardown(() => held.forEach((socket) => void socket.destroy()))
  const request = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'
  for (const socket of held) {
    socket.write(request)
    t.match(String((await once(socket, 'data'))[0]), 'HTTP/1.1 200')
  }
  t.equal(await sendRaw(url.href, request).catch(() => ''), '', 'closed without a byte')
  for (const path of ['livez', 'readyz', 'metrics']) t.equal((await fetch(`${opsUrl}/${path}`)).status, 200, path)
  t.match(await (await fetch(`${opsUrl}/metrics`)).text(), 'oss_vend_connections_refused_total 1')

  held[0]?.destroy()
  const open = () => promisify(app.server.getConnections.bind(app.server))()
  while ((await open()) > 1) await setImmediate()
  t.match(await sendRaw(url.href, request.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')), 'HTTP/1.1 200')
})
