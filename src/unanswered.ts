import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The requests that came and are not answered yet. */
export type Unanswered = Readonly<{
  /** From its first hook on until its answer is out. */
  add(request: FastifyRequest, reply: FastifyReply): void
  /** Whether one that came whole waits for its answer, on this connection or on any. */
  some(socket?: Socket): boolean
}>

/**
 * By connection, and forgotten with it: of the requests that a client sends ahead, Node tells the end of none but the
 * first when the connection breaks. A Map and not a WeakMap, which the collector keeps full of what was deleted from it.
 */
export function trackUnanswered(server: Server): Unanswered {
  const connections = new Map<Socket, Set<IncomingMessage>>()
  server.on('connection', (socket: Socket) => {
    connections.set(socket, new Set())
    socket.once('close', () => connections.delete(socket))
  })
  return {
    add({ raw }, reply) {
      const waiting = connections.get(raw.socket)
      if (!waiting) return
      waiting.add(raw)
      reply.raw.once('close', () => waiting.delete(raw))
    },
    some(socket) {
      const sets = socket ? [connections.get(socket) ?? []] : connections.values()
      for (const waiting of sets) for (const request of waiting) if (request.complete) return true
      return false
    },
  }
}
