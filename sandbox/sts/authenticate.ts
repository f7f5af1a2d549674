import { timingSafeEqual } from 'node:crypto'
import type { User, World } from '../world.ts'
import { parseAuthorization } from './authorization.ts'
import { createNonceMemory } from './nonces.ts'
import { Refusal } from './refusals.ts'
import { sha256, signatureOf } from './signature.ts'

/** The largest difference between a request's date and now, in both directions. */
const CLOCK_SKEW_MS = 15 * 60_000

/** The parts of a request that its signature needs. */
export type SignedRequest = Readonly<{
  method: string
  /** As received. */
  path: string
  /** Every value of every header by lower-case name, because repeated headers are refused. */
  headers: Readonly<Record<string, readonly string[] | undefined>>
  body: Buffer
}>

/**
 * Finds the owner of the keys that signed a request: signs it again with the stored secret and compares.
 *
 * @throws Refusal if signature, date or nonce is wrong
 */
export function createAuthenticator(world: World): (request: SignedRequest) => User {
  const nonces = createNonceMemory(world.clock)

  return function authenticate(request) {
    const header = singleHeaders(request)
    const claim = parseAuthorization(header('authorization'))
    const date = header('x-jdcloud-date')
    const nonce = header('x-jdcloud-nonce')
    if (nonce === '' || nonce.length > 128) throw new Refusal('signatureIncomplete')

    const signedAt = parseSigningDate(date)
    if (Math.abs(world.clock() - signedAt) > CLOCK_SKEW_MS) throw new Refusal('dateSkewed')
    if (claim.day !== date.slice(0, 8) || claim.service !== 'sts') throw new Refusal('scopeMismatch')

    if (world.sessions.knows(claim.accessKey) || request.headers['x-jdcloud-security-token']) {
      throw new Refusal('keyTemporary')
    }
    const user = world.users.get(claim.accessKey)
    if (!user) throw new Refusal('keyUnknown')

    const { method, path, body } = request
    const { version, region, service, signedHeaders } = claim
    const headers = signedHeaders.map((name): [string, string] => [name, header(name)])
    const expected = signatureOf({ version, method, path, headers, body, date, region, service }, user.secretKey)
    if (!timingSafeEqual(Buffer.from(claim.signature), Buffer.from(expected))) throw new Refusal('signatureMismatch')

    // Python SDKs send this beside the signature, which covers the body itself.
    const bodyHash = request.headers['x-jdcloud-content-sha256'] && header('x-jdcloud-content-sha256')
    if (bodyHash !== undefined && bodyHash !== sha256(body)) throw new Refusal('signatureMismatch')

    // Last, so that only the owner of the keys can use memory, or use up a nonce.
    if (!nonces.use(user.accessKey, nonce, signedAt + CLOCK_SKEW_MS)) throw new Refusal('nonceReused')
    return user
  }
}

/** Reads headers that must not repeat: of two, a proxy and a server might each use another one. */
function singleHeaders({ headers }: SignedRequest): (name: string) => string {
  return (name) => {
    const [value, ...more] = headers[name] ?? []
    if (more.length > 0) throw new Refusal('headerIllegal')
    if (value === undefined) throw new Refusal('signatureIncomplete')
    return value
  }
}

function parseSigningDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(text)
  if (!match) throw new Refusal('signatureIncomplete')
  const [, year, month, day, hour, minute, second] = match
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const epochMs = Date.parse(iso)
  // Formatted again and compared, because Date.parse reads February 30 as a day in March.
  if (Number.isNaN(epochMs) || new Date(epochMs).toISOString() !== iso) throw new Refusal('signatureIncomplete')
  return epochMs
}
