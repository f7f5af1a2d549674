import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { withoutTokens } from '../lib/without-tokens.ts'

/**
 * The id under which a request is logged and answered: the caller's `x-request-id` when it is well-formed, so that one
 * id can follow a request through an estate, else a fresh one. Anything else in it would be a way into the logs, and a
 * short token has the same characters.
 */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  const good = typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/u.test(given) && withoutTokens(given) === given
  return good ? given : randomUUID()
}
