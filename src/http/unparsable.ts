import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { problem } from './problem.ts'
import { requestIdOf } from './request-id.ts'

/**
 * Writes the answer by hand: bytes that Node's parser refuses, or that do not arrive in time, never become a request. The
 * client has `closeMs` to close its side.
 */
export function answerUnparsable(error: NodeJS.ErrnoException, socket: Socket, closeMs: number): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const requestId = requestIdOf({ headers: {} })
  const body = JSON.stringify({ ...problem('invalid_request', requestId), status })
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'cache-control: no-store',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  // Node leaves a connection half open until the client ends it.
  const timer = setTimeout(() => socket.destroy(), closeMs).unref()
  socket.once('close', () => clearTimeout(timer))
}
