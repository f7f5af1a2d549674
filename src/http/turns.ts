import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Why a connection was closed before its time. */
export type Cut = 'pipelining' | 'slow_reader'

type Turn = Readonly<{ request: IncomingMessage; response: ServerResponse }>

/** The requests that came and are not answered yet: on each connection one in work, the others wait for their turn. */
export type Turns = Readonly<{
  /** Whether one that came whole is not answered yet, on this connection or on any. */
  some(socket?: Socket): boolean
  /** Whether an answer is still being made. One that is made may wait for a reader who does not read. */
  working(): boolean
  /** Whether others wait behind this one. */
  hasNext(request: IncomingMessage): boolean
  /** Must be told when an answer starts: it has `sendMs` to leave, or its connection is cut. */
  answering(request: IncomingMessage, response: ServerResponse): void
}>

type Options = Readonly<{ sendMs: number; onCut: (cut: Cut) => void }>

/** Requests that may wait on one connection. Browsers, SDKs and load balancers send none ahead. */
const MAX_WAITING = 4
/** Limit for the headers of all waiting requests of one connection, however long a single request's token may be. */
const MAX_WAITING_BYTES = 16 * 1024
/** The limit of Envoy and Apache. A request of one-letter headers takes twenty times its size in memory. */
export const MAX_HEADERS = 100

/**
 * Hands requests to `serve` one at a time for each connection. Node hands over at once all that one read brings, a
 * thousand or more, and their answers wait in memory for a client that need not read them.
 */
export function takeTurns(server: Server, serve: RequestListener, { sendMs, onCut }: Options): Turns {
  // Forgotten with the connection: Node tells the end of no request but the first when a connection breaks.
  // A Map and not a WeakMap, which the collector keeps full of what was deleted from it.
  const connections = new Map<Socket, Turn[]>()
  server.on('connection', (socket: Socket) => {
    connections.set(socket, [])
    socket.once('close', () => connections.delete(socket))
  })

  function cut(socket: Socket, reason: Cut) {
    if (socket.destroyed) return
    onCut(reason)
    socket.destroy()
  }

  function begin(turns: Turn[], { request, response }: Turn) {
    response.once('close', () => {
      turns.shift()
      const [next] = turns
      if (request.socket.destroyed) return
      if (turns.length < 2 && request.socket.isPaused()) request.socket.resume()
      if (next) begin(turns, next)
    })
    serve(request, response)
  }

  function accept(request: IncomingMessage, response: ServerResponse) {
    const { socket } = request
    const turns = connections.get(socket)
    // The same read brought more requests than the one that led to the cut.
    if (!turns || socket.destroyed) return
    const turn = { request, response }
    turns.push(turn)
    if (turns.length === 1) begin(turns, turn)
    else if (
      turns.length > 1 + MAX_WAITING ||
      headersOf(request) > MAX_HEADERS ||
      waitingBytes(turns) > MAX_WAITING_BYTES
    )
      cut(socket, 'pipelining')
    else socket.pause()
  }
  // The other two are requests with an Expect header, which Node would answer by itself.
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, accept)

  const isWhole = ({ request }: Turn) => request.complete
  return {
    some: (socket) =>
      (socket ? [connections.get(socket) ?? []] : [...connections.values()]).some((turns) => turns.some(isWhole)),
    working: () => [...connections.values()].some(([turn]) => turn && isWhole(turn) && !turn.response.writableEnded),
    hasNext: ({ socket }) => (connections.get(socket)?.length ?? 0) > 1,
    answering({ socket }, response) {
      if (!connections.has(socket)) return
      const timer = setTimeout(cut, sendMs, socket, 'slow_reader').unref()
      response.once('close', () => clearTimeout(timer))
    },
  }
}

const waitingBytes = ([, ...waiting]: readonly Turn[]) =>
  waiting.flatMap(({ request }) => request.rawHeaders).reduce((sum, text) => sum + text.length, 0)

/** How many header fields a request has. */
export const headersOf = ({ rawHeaders }: IncomingMessage) => rawHeaders.length / 2
