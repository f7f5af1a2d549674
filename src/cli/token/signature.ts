import type { EntryField } from '../../identity/issuer-entry.ts'
import { sourceFor } from '../../identity/judge.ts'
import type { KeyFetch } from '../../identity/key-set.ts'
import type { KeyOrigin } from '../../identity/key-source.ts'
import { REFUSALS } from '../../identity/refusals.ts'
import type { UnverifiedToken } from '../../identity/token.ts'
import type { TrustedIssuer } from '../../identity/trusted-issuer.ts'
import { type ShownCheck, settingName } from './checks.ts'
import { cut } from './harmless.ts'
import { NOT_FETCHED, type Service, type Verdict } from './verdict.ts'

const FIELDS: Readonly<Record<KeyOrigin['kind'], readonly EntryField[]>> = {
  secret: ['secret', 'secretEncoding'],
  'public-key': ['publicKey'],
  'jwks-file': ['jwksFile'],
  jwks: ['jwksUrl'],
  discovery: ['issuer', 'jwksUrl'],
}

/** Reasons that the service has only after a signature was found good, as long as the token has an `exp`. */
const AFTER_SIGNATURE: readonly string[] = ['date', 'expired', 'not_yet_valid', 'issued_in_future', 'too_old']

type Context = Readonly<{ token: UnverifiedToken; trusted: TrustedIssuer; service: Service; fromFile: boolean }>

/** The check of the signature, as far as the verdict tells it. */
export async function signatureCheck(verdict: Verdict, context: Context): Promise<ShownCheck> {
  const { token, trusted, service, fromFile } = context
  const { issuer } = trusted
  const source = sourceFor(issuer, token.header.alg)
  const keys = trusted.keys.find((one) => one.source === source)
  const check = { name: 'signature', ...(source && { wanted: `signed with ${describeOrigin(source.origin)}` }) }
  if (verdict.accepted) return { ...check, passed: true }
  const { reason } = verdict
  if (AFTER_SIGNATURE.includes(reason)) {
    if (typeof token.payload.exp === 'number') return { ...check, passed: true }
    return { ...check, passed: undefined, why: 'not checked: the token has no exp that is a number' }
  }
  if (!source || !keys || !['signature', 'key', 'keys', 'unknown_key'].includes(reason)) {
    return {
      ...check,
      passed: undefined,
      why: 'not checked: the service looks for a key only if the checks of identity hold',
    }
  }
  const { means, remedy } = REFUSALS[reason]
  const settings = FIELDS[source.origin.kind].map((field) => settingName(field, issuer, fromFile))
  const fault = { ...check, reason, remedy, settings }
  if (reason === 'signature') return { ...fault, passed: false, why: means }
  if (reason === 'key') {
    const { alg, kid } = token.header
    const algorithms = await service.algorithmsOfKid(keys, typeof kid === 'string' ? kid : undefined)
    return { ...fault, passed: false, found: { alg, kid }, why: missingKey(kid, algorithms) }
  }
  const failure = failureOf(service.lastFetch())
  if (failure.result === NOT_FETCHED) return { ...check, passed: undefined, why: `not checked: ${failure.why}` }
  const more = failure.fields.map((field) => settingName(field, issuer, fromFile))
  return { ...fault, passed: undefined, why: failure.why, settings: more.length > 0 ? more : settings }
}

/** Names where a key is, and never the key. */
export function describeOrigin(origin: KeyOrigin): string {
  switch (origin.kind) {
    case 'secret':
      return 'the secret'
    case 'public-key':
      return 'the public key'
    case 'jwks-file':
      return 'a key of jwksFile'
    case 'jwks':
      return `a key of ${withoutQuery(origin.url)}`
    case 'discovery':
      return `a key that ${withoutQuery(origin.issuer)} publishes (discovery)`
  }
}

/** An address without the parts that can hold a secret. */
function withoutQuery(address: string): string {
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname}`
}

function missingKey(kid: unknown, algorithms: readonly string[]): string {
  if (typeof kid !== 'string') return 'the token names no kid, and no single key of the set has its alg'
  if (algorithms.length === 0) return `no key of the set has the kid ${JSON.stringify(cut(kid))}`
  return `the key ${JSON.stringify(cut(kid))} is there, but for ${algorithms.join(' or ')}`
}

type Failure = Readonly<{ result: string; why: string; fields: readonly EntryField[] }>

const FAILURES: Readonly<Record<string, readonly [why: string, ...fields: EntryField[]]>> = {
  [NOT_FETCHED]: ['the key set is not fetched with --no-fetch'],
  timeout: ['the key server did not answer in time', 'jwksTimeoutMs'],
  network: ['no connection to the key server: check its name, the network and its certificate', 'jwksUrl'],
  proxy: ['the proxy did not connect to the key server'],
  too_large: ['the key server answered with too much', 'jwksMaxBytes'],
  not_json: ['the key server did not answer with JSON', 'jwksUrl'],
  no_keys: ['the answer of the key server has neither "keys" nor certificates', 'jwksUrl'],
  too_many_keys: ['the key set has more than 256 keys', 'jwksUrl'],
  bad_token_file: ['the file with the bearer token cannot be used', 'jwksTokenFile'],
  no_jwks_uri: ['the discovery document has no issuer or no jwks_uri', 'issuer', 'jwksUrl'],
  other_issuer: ['the discovery document names another issuer: mind a slash at the end', 'issuer'],
  address_refused: ['the discovery document names an address that is not allowed', 'jwksOrigins', 'jwksUrl'],
}

function failureOf(fetch: KeyFetch | undefined): Failure {
  const result = fetch?.result ?? 'network'
  if (result === 'ok') return { result, why: 'the key set has no key that can be used', fields: ['jwksUrl'] }
  return { result, ...fetchFailure(result) }
}

/** Why a fetch of keys failed, by the word of `failureOf` in key-server.ts, and the fields to look at. */
export function fetchFailure(result: string): Readonly<{ why: string; fields: readonly EntryField[] }> {
  const [why, ...fields] = FAILURES[result] ?? [`the key server failed: ${result}`, 'jwksUrl']
  return { why: `${why} (${result})`, fields }
}

/** Entries of the fetched set that are not used. */
export const droppedEntries = (fetch: KeyFetch | undefined): readonly string[] =>
  (fetch?.dropped ?? []).map(
    ({ index, kid, reason }) =>
      `entry ${index + 1} of the key set${kid === undefined ? '' : ` (kid ${kid})`} is not used: ${reason}`,
  )
