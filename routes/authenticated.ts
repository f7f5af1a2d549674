import type { FastifyRequest } from 'fastify'
import { VendError } from '../src/errors.ts'
import type { Authenticate } from '../src/identity/authenticate.ts'
import type { Caller } from '../src/identity/caller.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** An onRequest hook: who has no good token is refused before the body is read. */
export function requireBearer(authenticate: Authenticate) {
  return async (request: FastifyRequest) => {
    request.caller = await authenticate(request, bearerToken(request))
  }
}

/** The caller of a route that {@link requireBearer} guards; an error on one that it does not. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error('this route does not authenticate')
  return request.caller
}

/**
 * Node keeps the first of several Authorization headers and drops the others, while a proxy may have checked the last:
 * more than one is nobody's.
 */
function bearerToken({ raw, headers }: FastifyRequest): string {
  const names = raw.rawHeaders.filter((item, index) => index % 2 === 0 && item.toLowerCase() === 'authorization')
  const [, token] = /^Bearer +([^\s,]+)$/iu.exec(headers.authorization ?? '') ?? []
  if (names.length > 1 || token === undefined) {
    throw new VendError('unauthenticated', { log: { reason: names.length > 0 ? 'not one bearer token' : 'no token' } })
  }
  return token
}
