import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ErrorCode } from '../src/errors.ts'
import { noteIssued } from '../src/http/notes.ts'
import type { Signed } from '../src/vending/signing.ts'
import { instant, paramValues, policyName, VEND_ERRORS } from './schemas.ts'
import { expirationOf } from './vended.ts'

/** The most URLs or parts of one request. */
export const MAX_SIGNATURES = 100
/** So many signatures cost about twice as much CPU as one vend. Each further ten count as a request of their own. */
const SIGNATURES_A_REQUEST = 10

/** A hundred of the longest keys. */
export const BODY_LIMIT_BYTES = 128 * 1024

/** The fields of every request for signatures. */
export const signingFields = {
  policy: policyName,
  params: paramValues.optional(),
  expiresInSeconds: z
    .int()
    .min(1)
    .max(43_200)
    .default(900)
    .describe('How long it works. Up to 900 is given in full. More is cut to the end of the session that signs.'),
}

/** The key of an object. `signing-check` has the other rules. */
export const objectKey = z.string().min(1).max(1024)

const token = "[A-Za-z0-9!#$&^_.+'-]{1,100}"
/** One exact type, without wildcards and without a character that could end a header. */
export const contentType = z
  .string()
  .max(255)
  .regex(new RegExp(`^${token}/${token}(?:; ?${token}=${token}){0,3}$`, 'u'), 'is not a content type such as image/png')

/** The fields of every answer with signatures. */
export const lifeFields = {
  expiration: instant.describe('When it stops to work: RFC 3339, UTC.'),
  expiresInSeconds: z
    .int()
    .describe('Seconds until then. Less than was asked for if the session that signs, or the token, ends earlier.'),
}

export const presentLife = ({ life }: Signed<unknown>) => ({
  expiration: expirationOf(life.expiresAt),
  expiresInSeconds: life.seconds,
})

/** The refusals of both routes. */
export const SIGNING_ERRORS: readonly ErrorCode[] = [...VEND_ERRORS, 'key_not_allowed']

/** Counts a large batch as several requests of its caller. @throws {VendError} `rate_limited` */
export const chargeBatch = (request: FastifyRequest, signatures: number) =>
  request.charge(Math.ceil(signatures / SIGNATURES_A_REQUEST) - 1)

/**
 * Tells log and audit before the answer. JD Cloud's audit names the shared session alone, so only these two have the
 * caller, in the log by the name that a session of its own would have. URLs and forms are secrets, and keys may be
 * personal: the log has only their number.
 */
export function logSigned(
  request: FastifyRequest,
  reply: FastifyReply,
  { grant, session, signedBy, signed, life }: Signed<unknown>,
  operation: string,
): void {
  const expiration = expirationOf(life.expiresAt)
  const story = {
    address: request.ip,
    policy: grant.template,
    target: grant.target,
    roleSessionName: grant.roleSessionName,
    operation,
    signatures: signed.length,
    expiration,
    from: session.from,
    milliseconds: Math.round(reply.elapsedTime * 10) / 10,
  }
  request.log.info(story, 'signed')
  request.told = true
  noteIssued(request, { grant, sessionName: signedBy, session, expiration, signatures: signed.length })
}
