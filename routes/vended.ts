import type { FastifyReply, FastifyRequest } from 'fastify'
import type { VendError } from '../src/errors.ts'
import { type Asked, noteAsked, noteIssued } from '../src/http/notes.ts'
import type { Vended } from '../src/vending/vending.ts'

/** How a client asked, where it was not by `POST /v1/credentials`. */
type Dialect = 'container' | 'sts'

/**
 * Tells log and audit the whole story, before the credentials are out. Nothing that came in a query or a form is logged, but
 * what the grant was made of.
 */
export function logVended(
  request: FastifyRequest,
  reply: FastifyReply,
  { grant, session }: Vended,
  expiration: string,
  dialect?: Dialect,
): void {
  const { template: policy, target, roleSessionName } = grant
  const milliseconds = Math.round(reply.elapsedTime * 10) / 10
  const { from } = session
  const story = { address: request.ip, policy, target, roleSessionName, expiration, from, milliseconds }
  request.log.info(dialect === undefined ? story : { ...story, dialect }, 'vended')
  request.told = true
  noteIssued(request, { grant, sessionName: roleSessionName, session, expiration })
}

/** Vends; audit and metric tell what was asked for, and the log line of a refusal names the policy. */
export async function namingPolicy<T>(request: FastifyRequest, asked: Asked, vend: () => T | Promise<T>): Promise<T> {
  const { policy } = asked
  noteAsked(request, asked)
  try {
    return await vend()
  } catch (error) {
    request.log = request.log.child({ policy })
    throw error
  }
}

/**
 * Whole seconds, rounded down: some SDKs cannot read fractions, and a rounded-up time would be later than the true one.
 */
export const expirationOf = (expiresAt: number) => `${new Date(expiresAt).toISOString().slice(0, 19)}Z`

/** A refusal as one sentence, for SDKs that show a message and nothing else. Of a 5xx it says no more than its kind. */
export function sentenceOf(error: VendError, requestId: string, title = error.message): string {
  const faults = error.errors?.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`)
  const more = error.status < 500 ? (error.detail ?? faults?.join('; ')) : undefined
  return `${title}${more === undefined ? '' : `: ${more}`} (request ${requestId})`
}

/** Answers with a text of exactly this media type: behind JSON's, Fastify would put a charset, which some SDKs mind. */
export const sendBytes = (reply: FastifyReply, type: string, text: string) => reply.type(type).send(Buffer.from(text))
