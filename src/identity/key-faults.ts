import { createPublicKey } from 'node:crypto'
import { shapeFault } from '../lib/secret-shape.ts'
import { isStrongSecret } from '../lib/secret-strength.ts'
import { addressFaults, type IssuerFault } from './address-faults.ts'
import { algorithmsFor, type KeyOrigin, type KeySource } from './key-source.ts'
import { readPublishedKeys } from './published-keys.ts'
import { secretBytes } from './secret-bytes.ts'

/** Checks what the schema cannot: that key, algorithms and addresses belong together and are strong enough. */
export function keyFaults({ origin, algorithms }: KeySource): IssuerFault[] {
  if (origin.kind === 'public-key' && !isPublicKey(origin.pem)) {
    return [{ rule: 'must be a PEM public key', remedy: 'paste the SPKI block that starts with BEGIN PUBLIC KEY' }]
  }
  const faults = algorithmFaults(origin, algorithms)
  switch (origin.kind) {
    case 'secret':
      return [...faults, ...secretFaults(origin, algorithms)]
    case 'public-key':
      return [...faults, ...publicKeyFaults(origin.pem)]
    case 'jwks-file':
      return [...faults, ...keySetFaults(origin.set, algorithms)]
    case 'jwks':
      // Some providers tell their tenants' key sets apart by a query.
      return [...faults, ...addressFaults(origin.url, { query: true })]
    case 'discovery':
      return [...faults, ...addressFaults(origin.issuer)]
  }
}

function algorithmFaults(origin: KeyOrigin, algorithms: KeySource['algorithms']): IssuerFault[] {
  const fitting = algorithmsFor(origin)
  const misfits = algorithms.filter((algorithm) => !fitting.includes(algorithm))
  if (misfits.length === 0 && algorithms.length > 0) return []
  return [
    {
      rule: `the algorithms must fit the key, ${misfits.length > 0 ? `and ${misfits.join(', ')} does not` : 'and none does'}`,
      remedy:
        fitting.length > 0 ? `choose from ${fitting.join(', ')}` : 'use an RSA, P-256, P-384, P-521 or Ed25519 key',
    },
  ]
}

function secretFaults(
  { secret, encoding }: Extract<KeyOrigin, { kind: 'secret' }>,
  algorithms: KeySource['algorithms'],
): IssuerFault[] {
  // Not a weak one, which a sandbox may have: a public key signs for anybody.
  const shape = shapeFault(secret)
  if (shape) return [shape]
  const bytes = secretBytes(secret, encoding)
  if (!bytes) return [{ rule: `must be ${encoding} throughout`, remedy: 'copy all of it, or correct secretEncoding' }]
  const needed = Math.max(...algorithms.map((algorithm) => Number(algorithm.slice(2)) / 8 || 0))
  const weak = (rule: string): IssuerFault[] => [{ rule, remedy: 'generate one: openssl rand -base64 48', weak: true }]
  if (bytes.length < needed) {
    return weak(`an HMAC secret must have at least ${needed} bytes for ${algorithms.join(', ')}`)
  }
  if (secret.startsWith('sandbox-only-')) return weak("must not be the sandbox's, which is published")
  // It decodes hex and base64 by itself, whether tokens are signed with the text or with what that stands for.
  return isStrongSecret(secret)
    ? []
    : weak('must not be easy to guess, as words, repeats, sequences, dates and published examples are')
}

function publicKeyFaults(pem: string): IssuerFault[] {
  const bits = createPublicKey(pem).asymmetricKeyDetails?.modulusLength
  if (bits === undefined || bits >= 2048) return []
  return [{ rule: 'an RSA key must have at least 2048 bits', remedy: 'have the issuer rotate to a longer key' }]
}

/** Longer files are not read again when they change. */
const MAX_KEY_SET_BYTES = 64 * 1024

function keySetFaults(text: string, algorithms: KeySource['algorithms']): IssuerFault[] {
  if (Buffer.byteLength(text) > MAX_KEY_SET_BYTES) {
    return [{ rule: 'must be at most 64 KiB', remedy: 'keep the keys that are in use' }]
  }
  try {
    const { keys, dropped } = readPublishedKeys(JSON.parse(text))
    if (dropped.some(({ reason }) => reason === 'private')) {
      return [{ rule: 'must not hold private keys', remedy: 'export the public keys alone, and replace these' }]
    }
    if (keys.some((key) => key.algorithms.some((one) => algorithms.includes(one)))) return []
    const rule = `must hold a key that can be used, for ${algorithms.join(' or ')}`
    return [{ rule, remedy: 'see "Key sets" in docs/configuration.md' }]
  } catch {
    return [{ rule: 'must hold a key set (JWKS) or a map of certificates, as JSON', remedy: 'copy the whole document' }]
  }
}

function isPublicKey(pem: string): boolean {
  // createPublicKey would also take a private key and derive the public one: a private key has no business here.
  if (!/-----BEGIN (?:RSA )?PUBLIC KEY-----|-----BEGIN CERTIFICATE-----/u.test(pem) || /PRIVATE KEY/u.test(pem)) {
    return false
  }
  try {
    createPublicKey(pem)
    return true
  } catch {
    return false
  }
}
