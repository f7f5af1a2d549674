import { timingSafeEqual } from 'node:crypto'
import type { User, World } from '../world.ts'
import { parseAuthorization } from './authorization.ts'
import { createNonceMemory } from './nonces.ts'
import { Refusal } from './refusals.ts'
import { signatureOf } from './signature.ts'

/** How far a request's date may be from now, either way. */
const CLOCK_SKEW_MS = 15 * 60_000

/** A request as it came, as far as its signature is concerned. */
export type SignedRequest = Readonly<{
  method: string
  /** The path as it is signed. */
  path: string
  /** Every value of every header, by its lower-case name: a repeated header must be seen to be refused. */
  headers: Readonly<Record<string, readonly string[] | undefined>>
  body: Buffer
}>

/**
 * Finds out whose keys signed a request, by signing it again with the secret on file and comparing.
 *
 * @throws Refusal for every way in which the signature, its date or its nonce does not hold.
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
    const { region, service, signedHeaders } = claim
    const headers = signedHeaders.map((name): [string, string] => [name, header(name)])
    const expected = signatureOf({ method, path, headers, body, date, region, service }, user.secretKey)
    if (!timingSafeEqual(Buffer.from(claim.signature), Buffer.from(expected))) throw new Refusal('signatureMismatch')

    // Last, so that only the holder of the keys can fill the memory, or use up somebody's nonce.
    if (!nonces.use(user.accessKey, nonce, signedAt + CLOCK_SKEW_MS)) throw new Refusal('nonceReused')
    return user
  }
}

/** Reads headers that may be there once only: of two, a proxy and a server might each believe another one. */
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
  // Written out again, because Date.parse takes February 30 for a day in March.
  if (Number.isNaN(epochMs) || new Date(epochMs).toISOString() !== iso) throw new Refusal('signatureIncomplete')
  return epochMs
}
