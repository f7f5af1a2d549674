import { readFileSync } from 'node:fs'
import { SECRET_ALGORITHMS } from '../identity/algorithms.ts'
import type { EntryField } from '../identity/issuer-entry.ts'
import { keyFaults } from '../identity/key-faults.ts'
import { isBearer } from '../identity/key-server.ts'
import { defaultAlgorithms, type FetchedOrigin, type KeyOrigin, type KeySource } from '../identity/key-source.ts'
import { readCertificates } from '../lib/authorities.ts'
import type { GivenKeys, GivenProfile, ProfileContext, ReportField } from './issuer-profile.ts'

type Given = Readonly<{ profile: GivenProfile; keys: GivenKeys; discoverFrom: string | undefined }>

/**
 * The sources of an issuer's keys: at most one secret, and beside it at most one source of public keys. With no key at
 * all, the key set is discovered. Undefined after a report.
 */
export function readSources(
  { profile, keys, discoverFrom }: Given,
  { defaults, report, sandbox }: ProfileContext,
): readonly KeySource[] | undefined {
  const { secret, publicKey, jwksFile } = keys
  const { jwksUrl, secretEncoding = 'utf8', algorithms } = profile
  const fetching = {
    maxAgeSeconds: profile.jwksMaxAgeSeconds ?? defaults.JWT_JWKS_MAX_AGE_SECONDS,
    timeoutMs: profile.jwksTimeoutMs ?? defaults.JWT_JWKS_TIMEOUT_MS,
    maxBytes: profile.jwksMaxBytes ?? defaults.JWT_JWKS_MAX_BYTES,
    ...(profile.jwksTokenFile !== undefined && { tokenFile: profile.jwksTokenFile }),
    ...(profile.jwksCaFile !== undefined && { caFile: profile.jwksCaFile }),
  }
  const origins: [field: EntryField, origin: KeyOrigin][] = []
  const file = (given: Readonly<{ file?: string }>) => (given.file === undefined ? {} : { file: given.file })
  if (secret)
    origins.push([secret.field, { kind: 'secret', secret: secret.text, encoding: secretEncoding, ...file(secret) }])
  if (publicKey) origins.push([publicKey.field, { kind: 'public-key', pem: pemOf(publicKey.text), ...file(publicKey) }])
  if (jwksFile) origins.push(['jwksFile', { kind: 'jwks-file', set: jwksFile.text, file: jwksFile.file ?? '' }])
  if (jwksUrl !== undefined) origins.push(['jwksUrl', { kind: 'jwks', url: jwksUrl, ...fetching }])
  const isDiscovered = origins.length === 0
  if (isDiscovered) {
    if (discoverFrom === undefined) return undefined
    origins.push([
      'issuer',
      { kind: 'discovery', issuer: discoverFrom, origins: profile.jwksOrigins ?? [], ...fetching },
    ])
  }

  let good = reportMisplaced(
    profile,
    origins.map(([, origin]) => origin),
    report,
  )
  const sources = origins.map(([field, origin]): [field: EntryField, source: KeySource] => [
    field,
    { origin, algorithms: pinned(origin, algorithms, origins.length > 1) },
  ])
  for (const [field, source] of sources) {
    for (const { rule, remedy, weak } of keyFaults(source)) {
      if (weak && sandbox) continue
      report(field, rule, remedy)
      good = false
    }
  }
  return good ? sources.map(([, source]) => source) : undefined
}

/** Named algorithms go to the one source that they can be for. All go to a single source, which then tells misfits. */
function pinned(origin: KeyOrigin, named: KeySource['algorithms'] | undefined, isOneOfTwo: boolean) {
  if (named === undefined) return fallbackAlgorithms(origin)
  return isOneOfTwo
    ? named.filter((algorithm) => SECRET_ALGORITHMS.includes(algorithm) === (origin.kind === 'secret'))
    : named
}

function fallbackAlgorithms(origin: KeyOrigin): KeySource['algorithms'] {
  try {
    return defaultAlgorithms(origin)
  } catch {
    return [] // not a key at all, which keyFaults says
  }
}

/** Environment files cannot contain line breaks, so a literal \n stands for one. */
export const pemOf = (text: string) => text.replaceAll('\\n', '\n')

const OF_FETCHED_SETS = ['jwksMaxAgeSeconds', 'jwksTimeoutMs', 'jwksMaxBytes', 'jwksTokenFile', 'jwksCaFile'] as const

/** Whether each field is about a source that this issuer has, and its files can be used. */
function reportMisplaced(profile: GivenProfile, origins: readonly KeyOrigin[], report: ReportField): boolean {
  let good = true
  const refuse = (...fault: Parameters<ReportField>) => {
    report(...fault)
    good = false
  }
  const kinds = origins.map(({ kind }) => kind)
  if (profile.secretEncoding !== undefined && !kinds.includes('secret')) {
    refuse('secretEncoding', 'applies only to a secret', 'leave it out: this issuer has none')
  }
  if (profile.jwksOrigins && !kinds.includes('discovery')) {
    const remedy = 'leave it out: the address of the key set is given'
    refuse('jwksOrigins', 'applies only to a discovered key set', remedy)
  }
  const fetched = origins.find((origin): origin is FetchedOrigin => 'maxAgeSeconds' in origin)
  for (const field of OF_FETCHED_SETS) {
    if (profile[field] === undefined || fetched) continue
    refuse(field, 'applies only to fetched key sets', 'leave it out: a configured key is not fetched')
  }
  if (!fetched) return good
  const address = fetched.kind === 'jwks' ? fetched.url : fetched.issuer
  if (fetched.caFile !== undefined) {
    if (!address.startsWith('https:')) refuse('jwksCaFile', 'applies only to https', 'leave it out')
    if (!readCertificates(contentOf(fetched.caFile))) {
      refuse('jwksCaFile', 'must name a readable file of PEM certificates', 'the path is relative to the issuers file')
    }
  }
  if (fetched.tokenFile !== undefined && !isBearer(contentOf(fetched.tokenFile))) {
    refuse('jwksTokenFile', 'must name a readable file with one token', 'the path is relative to the issuers file')
  }
  return good
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
