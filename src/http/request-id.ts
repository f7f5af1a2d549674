import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * The id under which a request is logged and answered: the caller's `x-request-id` when it is well-formed, so that one
 * id can follow a request through an estate, else a fresh one. Anything else in it would be a way into the logs.
 */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/u.test(given) ? given : randomUUID()
}
