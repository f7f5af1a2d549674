import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TLSSocket } from 'node:tls'
import { isLoopback } from './loopback.ts'
import { Refusal } from './sts/refusals.ts'

/** In the form of JD Cloud's request ids, and the same for each fault. */
export const FAULT_REQUEST_ID = '5a4db0c5-7e1f-4d6b-9c83-2f1e6a97fa17'

/** A fault of a listener. */
type FaultKind =
  /** Answers as usual, but this many milliseconds late. */
  | { kind: 'delay'; ms: number }
  /** JD Cloud's error document. `retryAfter` is the value of the header. */
  | { kind: 'status'; status: 429; retryAfter?: string }
  | { kind: 'status'; status: 500 }
  /** 502 with a gateway's HTML page. */
  | { kind: 'html' }
  /** 200 with an empty body. */
  | { kind: 'empty' }
  /** Resets the connection before the first byte of an answer. */
  | { kind: 'reset' }
  /** Resets the connection after the headers and a part of the body. */
  | { kind: 'resetMidBody' }
  /** 200 with bytes that are neither JSON nor UTF-8, although the content type says so. */
  | { kind: 'garbage' }
  /** Ends the answer properly, but before the announced content-length. */
  | { kind: 'truncated' }
  /** 302 to another URL on loopback. */
  | { kind: 'redirect'; to: string }
  /**
   * 200 with a body of this announced length, or without an end. The body is produced only as fast as the client reads
   * it.
   */
  | { kind: 'huge'; bytes?: number }
  /** Never answers. */
  | { kind: 'hang' }
  | Lie

/** A good answer of STS with an expiration that is this many hours wrong, or missing. Only STS can have this fault. */
export type Lie = Readonly<{ kind: 'expiration'; hours: number | 'missing' }>

/** A listener with faults that can be switched on. */
type Listener = (req: IncomingMessage, res: ServerResponse, lie?: Lie) => void

/** A fault for the next `times` requests, or until it is changed. */
export type Fault = Readonly<FaultKind & { times?: number }>

/** The switch of one listener. */
export type Faults = Readonly<{
  /** Replaces the current fault; `undefined` ends it. Running requests keep the fault that they met. */
  set(fault: Fault | undefined): void
  /** The fault for the next request, which counts against its `times`. */
  take(): Fault | undefined
}>

/** @throws RangeError if `times` is not a positive integer, or if a redirect leaves loopback */
export function createFaults(): Faults {
  let current: Fault | undefined
  let left = 0

  return {
    set(fault) {
      const times = fault?.times ?? Number.POSITIVE_INFINITY
      if (!(times === Number.POSITIVE_INFINITY || Number.isSafeInteger(times)) || times < 1) {
        throw new RangeError('times must be a positive integer')
      }
      if (fault?.kind === 'redirect' && !isLoopback(new URL(fault.to).hostname.replace(/^\[|\]$/gu, ''))) {
        throw new RangeError('a redirect must stay on loopback')
      }
      current = fault
      left = times
    },
    take() {
      const fault = current
      if (fault && --left === 0) current = undefined
      return fault
    },
  }
}

/** Puts the switched-on fault in front of the listener. */
export function withFaults(faults: Faults, listener: Listener): RequestListener {
  return (req, res) => {
    const fault = faults.take()
    if (!fault) listener(req, res)
    else if (fault.kind === 'expiration') listener(req, res, fault)
    else if (fault.kind === 'delay') delay(fault.ms, res, () => listener(req, res))
    else misbehave(fault, req, res)
  }
}

function delay(ms: number, res: ServerResponse, then: () => void): void {
  const timer = setTimeout(then, ms)
  res.once('close', () => clearTimeout(timer))
}

type Misbehaviour = Exclude<Fault, { kind: 'delay' | 'expiration' }>

function misbehave(fault: Misbehaviour, { socket }: IncomingMessage, res: ServerResponse): void {
  switch (fault.kind) {
    case 'status': {
      const refusal = new Refusal(fault.status === 429 ? 'rateLimited' : 'internal')
      if (fault.status === 429 && fault.retryAfter !== undefined) res.setHeader('retry-after', fault.retryAfter)
      json(res, fault.status).end(refusal.document(FAULT_REQUEST_ID))
      return
    }
    case 'html':
      res.statusCode = 502
      res.setHeader('content-type', 'text/html')
      res.end('<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n')
      return
    case 'empty':
      json(res, 200).end()
      return
    case 'reset':
      reset(socket)
      return
    case 'resetMidBody':
      json(res, 200).write('{"requestId":"fault","res', () => reset(socket))
      return
    case 'garbage':
      json(res, 200).end(Buffer.from('7b22ff00fe22', 'hex'))
      return
    case 'truncated':
      res.setHeader('content-length', '4096')
      json(res, 200).write('{"requestId":"fault","res', () => socket.end())
      return
    case 'redirect':
      res.statusCode = 302
      res.setHeader('location', fault.to)
      res.end()
      return
    case 'huge':
      if (fault.bytes !== undefined) res.setHeader('content-length', fault.bytes)
      // This body ends only when the client disconnects, which the pipeline reports as an error.
      pipeline(Readable.from(blanks(fault.bytes)), json(res, 200)).catch(() => undefined)
      return
    case 'hang':
  }
}

/** Node cannot reset a connection under TLS, but a connection that ends without TLS's own goodbye is as broken. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

function json(res: ServerResponse, status: number): ServerResponse {
  res.statusCode = status
  res.setHeader('content-type', 'application/json')
  return res
}

function* blanks(bytes = Number.POSITIVE_INFINITY): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, ' ')
  for (let left = bytes; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk
}
