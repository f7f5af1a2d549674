import { once } from 'node:events'
import { connect } from 'node:net'
import { claims, mint } from '../../helpers/tokens.ts'

/** What became of the requests of this process, as it is written to standard output. */
export type LoadReport = Readonly<{
  statuses: Readonly<Record<string, number>>
  /** Sent on a connection that the service had taken, and not answered in full. */
  dropped: readonly string[]
  /**
   * Connections that the service did not take any more: refused, or left in the kernel's line when the listener closed,
   * which looks like a reset before the first byte.
   */
  refused: number
}>

/*
 * Load from a process of its own: `<url> <connections> <stay|return>`. Each connection sends one request after the
 * other, every second one of a caller whom nobody has seen before. Told to close, it does so, and stays away as whoever
 * sits behind a load balancer does, or returns until it is refused.
 */
const [, , url = '', connections = '0', manner] = process.argv
const { hostname, port } = new URL(url)
const statuses: Record<string, number> = {}
const dropped: string[] = []
let refused = 0

function request(sub: string): string {
  const body = '{"policy":"user-upload"}'
  const head = [
    'POST /v1/credentials HTTP/1.1',
    `host: ${hostname}`,
    `authorization: Bearer ${mint(claims({ sub }))}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** One connection from its first request to its end; whether there is any sense in another. */
async function visit(name: string): Promise<boolean> {
  const socket = connect(Number(port), hostname).setNoDelay()
  socket.setEncoding('latin1')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  // What went wrong shows in what was received.
  socket.on('error', () => {})
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)))
  if (
    !(await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      closed.then(() => false),
    ]))
  ) {
    refused++
    return false
  }
  for (let sent = 0; ; sent++) {
    received = ''
    socket.write(request(sent % 2 === 0 ? name : `${name}-${sent}`))
    let answer = complete(received)
    while (!answer) {
      const ended = await Promise.race([
        once(socket, 'data').then(
          () => false,
          () => true,
        ),
        closed,
      ])
      answer = complete(received)
      if (ended && !answer && sent === 0 && received === '') {
        refused++
        return false
      }
      if (ended && !answer) {
        dropped.push(`request ${sent} of ${name}: ${received.length} bytes came`)
        return false
      }
    }
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    if (!answer.close) continue
    await closed
    return true
  }
}

function complete(text: string): { status: string; close: boolean } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const [, length = ''] = /^content-length: (\d+)$/imu.exec(head) ?? []
  if (text.length < end + 4 + Number(length)) return undefined
  return { status: head.slice(9, 12), close: /^connection: close$/imu.test(head) }
}

await Promise.all(
  Array.from({ length: Number(connections) }, async (_, n) => {
    for (let visits = 0; await visit(`caller-${n}-${visits}`); visits++) if (manner === 'stay') return
  }),
)
const report: LoadReport = { statuses, dropped, refused }
process.stdout.write(JSON.stringify(report))
