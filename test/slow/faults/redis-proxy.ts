import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** What becomes of an answer of Redis on its way: bytes to pass on, `cut` to hang up after half of them. */
export type Meddle = (answer: Buffer) => Buffer | 'cut' | Readonly<{ lateMs: number }>

/** Stands between the service and its Redis, and meddles with answers when it is told to. Gone with the test. */
export async function redisProxy(t: Test, redisPort: number) {
  const sockets = new Set<Socket>()
  let meddle: Meddle | undefined

  const server = createServer((client) => {
    const redis = connect(redisPort, '127.0.0.1')
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        redis.destroy()
      })
    }
    client.pipe(redis)
    redis.on('data', (answer) => {
      const passed = meddle?.(answer) ?? answer
      if (passed === 'cut') client.end(answer.subarray(0, answer.length / 2))
      else if (Buffer.isBuffer(passed)) client.write(passed)
      // Real time: the service and ioredis run on the machine's clock here.
      else setTimeout(() => client.writable && client.write(answer), passed.lateMs)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const set = (how: Meddle | undefined) => {
    meddle = how
  }
  return { url: `redis://127.0.0.1:${address.port}`, set }
}
