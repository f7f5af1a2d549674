import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createPool } from '../../src/lib/outbound.ts'
import { createAwsSts } from '../../src/sts/aws.ts'
import { createJdcloudSts } from '../../src/sts/jdcloud.ts'
import * as aws from './aws-harness.ts'
import { CREDENTIALS, dependencies, GRANT, NOW, options } from './harness.ts'

type Settings = Readonly<{ endpoint: string; pool: { pool?: ReturnType<typeof createPool> } }>
const SOURCES = [
  {
    name: 'JD Cloud',
    bodyFor: (accessKey: string) => JSON.stringify({ result: { credentials: { ...CREDENTIALS, accessKey } } }),
    create: ({ endpoint, pool }: Settings) =>
      createJdcloudSts({ ...options(endpoint), connections: 1 }, { ...dependencies, ...pool }),
  },
  {
    name: 'AWS-compatible',
    bodyFor: (AccessKeyId: string) => aws.success({ AccessKeyId }),
    create: ({ endpoint, pool }: Settings) =>
      createAwsSts({ ...aws.options(endpoint), connections: 1 }, { translate: String, now: () => NOW, ...pool }),
  },
]

for (const { name, bodyFor, create } of SOURCES)
  t.test(`${name}: an answer that comes twice over a connection is never another caller's`, async (t) => {
    // A gateway that sends the last answer again as soon as the next question comes over the same connection.
    const answer = (accessKey: string) => {
      const body = bodyFor(accessKey)
      return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    }
    const play = async (t: Test, keepAlive: boolean) => {
      let questions = 0
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        let last: string | undefined
        socket.on('error', () => {})
        socket.on('data', (chunk) => {
          // Head and body may come apart; a question begins with its head.
          if (!String(chunk).startsWith('POST')) return
          const now = answer(`key-${++questions}`)
          socket.write(last ?? now)
          last = now
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('not listening on a port')
      const endpoint = `http://127.0.0.1:${address.port}`
      const kept = () => createPool({ connections: 1, connectTimeoutMs: 5000, maxResponseBytes: 65_536, keepAlive })
      const sts = create({ endpoint, pool: keepAlive ? { pool: kept() } : {} })
      t.teardown(async () => {
        await sts.close()
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      return [(await sts.assumeRole(GRANT)).accessKey, (await sts.assumeRole(GRANT)).accessKey]
    }
    t.strictSame(await play(t, false), ['key-1', 'key-2'])
    t.strictSame(await play(t, true), ['key-1', 'key-1'], 'which a connection that is kept would have let happen')
  })
