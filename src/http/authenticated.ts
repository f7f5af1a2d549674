import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { VendError } from '../errors.ts'
import type { Authenticate } from '../identity/authenticate.ts'
import type { Caller } from '../identity/caller.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** How a token may stand in the Authorization header; AWS SDKs send there whatever they were configured with. */
const SCHEMES = { bearer: /^Bearer +([^\s,]+)$/iu, 'bearer-or-bare': /^(?:Bearer +)?([^\s,]+)$/iu } as const

/** An onRequest hook: a request without a good token is refused before its body is read. */
export function requireBearer(authenticate: Authenticate, scheme: keyof typeof SCHEMES = 'bearer') {
  return async (request: FastifyRequest) => {
    // Not for `authenticate`, which counts bad tokens: a request without any is no guess.
    if (request.headers.authorization === undefined) {
      throw new VendError('unauthenticated', { log: { reason: 'no token' } })
    }
    request.caller = await authenticate(request, bearerToken(request, SCHEMES[scheme]))
  }
}

/** The caller of a route that {@link requireBearer} guards; an error on one that it does not. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error('this route does not authenticate')
  return request.caller
}

/**
 * The empty token, which never verifies, for anything but one bearer token. Node keeps the first of several
 * Authorization headers and drops the others, while a proxy may have checked the last: more than one is nobody's.
 */
function bearerToken({ raw, headers }: FastifyRequest, scheme: RegExp): string {
  const [, token = ''] = scheme.exec(headers.authorization ?? '') ?? []
  return isSentTwice('authorization', raw) ? '' : token
}

function isSentTwice(name: string, { rawHeaders }: IncomingMessage): boolean {
  let times = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i]
    if (header?.length === name.length && header.toLowerCase() === name) times++
  }
  return times > 1
}
