import { createPublicKey, type JsonWebKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { type Algorithm, algorithmsOfKey } from './algorithms.ts'
import { KeyServerError } from './key-server.ts'

/** More than any issuer has; each costs time to read. */
const MAX_ENTRIES = 256
const RSA_BITS = { least: 2048, most: 8192 }
/** RFC 7518 §6: members that a public key does not have. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** A public key that may verify tokens. */
export type PublishedKey = Readonly<{
  kid: string | undefined
  algorithms: readonly Algorithm[]
  /** SPKI. */
  pem: string
  /** The same for two keys exactly when all of the above is the same. */
  id: string
}>

/** An entry of a key set that is not used. `kid` is there when it is harmless to log. */
export type DroppedEntry = Readonly<{ index: number; kid?: string; reason: string }>

export type PublishedKeys = Readonly<{ keys: readonly PublishedKey[]; dropped: readonly DroppedEntry[] }>

const common = {
  kid: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
  alg: z.string().optional(),
}
const entrySchema = z.discriminatedUnion('kty', [
  z.looseObject({ kty: z.literal('RSA'), n: z.string(), e: z.string(), ...common }),
  z.looseObject({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string(), ...common }),
  z.looseObject({ kty: z.literal('OKP'), crv: z.string(), x: z.string(), ...common }),
  z.looseObject({ kty: z.literal('oct'), ...common }),
])

/** As Google's servers map key ids to them. */
const certificates = z.record(z.string(), z.string().startsWith('-----BEGIN CERTIFICATE-----'))
const keySet = z.looseObject({ keys: z.array(z.unknown()) })

/**
 * Reads a key set (RFC 7517 §5), or a map from key ids to X.509 certificates, each for a public key. Entries are judged
 * one by one, so that one that is malformed costs the issuer no other.
 *
 * Dates and names in certificates are not judged, as Google's own libraries do not: the key server says by serving one
 * that it is in use, and TLS says that it is the key server.
 * @throws {KeyServerError} for what is neither
 */
export function readPublishedKeys(document: unknown): PublishedKeys {
  const entries = entriesOf(document)
  if (entries.length > MAX_ENTRIES) throw new KeyServerError('too_many_keys')
  const keys: PublishedKey[] = []
  const dropped: DroppedEntry[] = []
  for (const [index, { entry, read }] of entries.entries()) {
    const key = read()
    const reason = typeof key === 'string' ? key : isDuplicate(key, keys) ? 'duplicate_kid' : undefined
    if (reason !== undefined) dropped.push({ index, ...harmlessKid(entry), reason })
    else if (typeof key !== 'string') keys.push(key)
  }
  return { keys, dropped }
}

/** An entry, and the key that it has, or why it has none. */
type Entry = Readonly<{ entry: unknown; read: () => PublishedKey | string }>

function entriesOf(document: unknown): Entry[] {
  const set = keySet.safeParse(document)
  if (set.success) return set.data.keys.map((entry) => ({ entry, read: () => readEntry(entry) }))
  const map = Object.entries(certificates.safeParse(document).data ?? {})
  if (map.length === 0) throw new KeyServerError('no_keys')
  return map.map(([kid, pem]) => ({ entry: { kid }, read: () => readCertificate(kid, pem) }))
}

function readCertificate(kid: string, text: string): PublishedKey | string {
  try {
    const pem = String(new X509Certificate(text).publicKey.export({ type: 'spki', format: 'pem' })).trim()
    return keyOf(kid, pem, undefined)
  } catch {
    return 'malformed'
  }
}

/** The key, or why there is none. */
function readEntry(entry: unknown): PublishedKey | string {
  const parsed = entrySchema.safeParse(entry)
  if (!parsed.success) {
    const [member] = parsed.error.issues[0]?.path ?? []
    return member === undefined ? 'not_an_object' : `bad_${String(member)}`
  }
  const { data } = parsed
  const { kid, use, key_ops: operations, alg } = data
  if (data.kty === 'oct') return 'symmetric'
  // Published by mistake: anybody may sign with it by now.
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(data, member))) return 'private'
  if ((use !== undefined && use !== 'sig') || operations?.includes('verify') === false) return 'not_for_signatures'
  const pem = pemOf(coordinatesOf(data))
  return pem === undefined ? 'malformed' : keyOf(kid, pem, alg)
}

function keyOf(kid: string | undefined, pem: string, alg: string | undefined): PublishedKey | string {
  const weakness = rsaWeakness(pem)
  if (weakness !== undefined) return weakness
  const algorithms = algorithmsOfKey(pem).filter((one) => alg === undefined || one === alg)
  if (algorithms.length === 0) return 'unsupported_algorithm'
  return { kid, algorithms, pem, id: JSON.stringify([kid, algorithms, pem]) }
}

/** The public numbers alone: nothing else of an entry reaches the parser of keys. */
function coordinatesOf(entry: Exclude<z.infer<typeof entrySchema>, { kty: 'oct' }>): JsonWebKey {
  const { kty } = entry
  if (kty === 'RSA') return { kty, n: entry.n, e: entry.e }
  return kty === 'EC' ? { kty, crv: entry.crv, x: entry.x, y: entry.y } : { kty, crv: entry.crv, x: entry.x }
}

function pemOf(key: JsonWebKey): string | undefined {
  try {
    return String(createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })).trim()
  } catch {
    return undefined
  }
}

function rsaWeakness(pem: string): string | undefined {
  const { modulusLength, publicExponent } = createPublicKey(pem).asymmetricKeyDetails ?? {}
  if (modulusLength === undefined || publicExponent === undefined) return undefined
  if (modulusLength < RSA_BITS.least) return 'rsa_too_short'
  if (modulusLength > RSA_BITS.most) return 'rsa_too_long'
  // With an exponent of 1 anybody can sign.
  return publicExponent < 3n || publicExponent % 2n === 0n ? 'rsa_exponent' : undefined
}

/** Whether a token could mean either of two keys. Without a `kid` it names none of them. */
function isDuplicate({ kid, algorithms, id }: PublishedKey, others: readonly PublishedKey[]): boolean {
  return others.some(
    (other) =>
      other.id === id ||
      (kid !== undefined && other.kid === kid && other.algorithms.some((one) => algorithms.includes(one))),
  )
}

function harmlessKid(entry: unknown): { kid?: string } {
  const { data } = z.looseObject({ kid: z.string().regex(/^[\w=.:-]{1,64}$/u) }).safeParse(entry)
  return data ? { kid: data.kid } : {}
}
