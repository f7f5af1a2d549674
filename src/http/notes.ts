import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { VendError } from '../errors.ts'
import type { Authenticate } from '../identity/authenticate.ts'
import type { Grant } from '../policy/grant/grant.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What audit, metrics and traces tell of this request. */
    notes: Notes | null
  }
  interface FastifyContextConfig {
    /**
     * True for a route that gives out credentials, or what is signed with them. Each request for it is a decision, which
     * audit and metrics tell.
     */
    vends?: true
  }
}

/** What a caller asked for, once the request has the right form. */
export type Asked = Readonly<{
  policy: string
  params?: Readonly<Record<string, string | number>> | undefined
  operation?: string | undefined
  keys?: readonly string[] | undefined
  keyPrefix?: string | undefined
}>

/** What was given out. */
export type Issued = Readonly<{
  grant: Pick<Grant, 'template' | 'target' | 'actions' | 'resources'>
  /** The name of the session in the audit of JD Cloud: the caller's own, or one that many callers share. */
  sessionName: string
  session: Readonly<{ accessKey: string; from: 'cache' | 'shared' | 'sts' }>
  expiration: string
  signatures?: number
}>

/** Collected while a request is served. */
export type Notes = {
  /** Whether its event is written. */
  recorded?: true
  /** Taken at the start: a connection that is closed has none. */
  address?: string
  tokenSha256?: string
  caller?: Readonly<{ issuer: string; subject: string }>
  asked?: Asked
  issued?: Issued
  refusal?: VendError
}

/** The notes of a request. */
export function notesOf(request: FastifyRequest): Notes {
  request.notes ??= {}
  return request.notes
}

/** For routes, before anything can be refused because of what was asked. */
export function noteAsked(request: FastifyRequest, asked: Asked): void {
  notesOf(request).asked = asked
}

/** For routes, before the answer is written. */
export function noteIssued(request: FastifyRequest, issued: Issued): void {
  notesOf(request).issued = issued
}

/** For the place where every error becomes an answer. */
export function noteRefusal(request: FastifyRequest, refusal: VendError): void {
  notesOf(request).refusal = refusal
}

/** Notes each token that is presented, by its hash alone, and the caller of each good one. */
export function notingCallers(authenticate: Authenticate): Authenticate {
  return async (request, token) => {
    const notes = notesOf(request)
    // The empty one stands for a header that holds no single token.
    if (token !== '') notes.tokenSha256 = hash('sha256', token, 'hex')
    const caller = await authenticate(request, token)
    notes.caller = caller
    return caller
  }
}
