import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { VendError } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { ConfiguredKey } from './configured-key.ts'
import type { Issuer } from './issuer.ts'
import { type KeySet, KeysUnavailableError } from './key-set.ts'
import { dateFault, type MeaningFault, typeFault } from './meaning.ts'
import { readToken, type UnverifiedToken } from './token.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'
import { keysInUse, type VerifiedToken, type VerifiedTokens } from './verified-tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The token that is being verified; @fastify/jwt takes it from here, wherever the route found it. */
    presentedToken: string
    /** One of these for each configured issuer, by @fastify/jwt. */
    [verify: `verify:${string}`]: () => Promise<unknown>
  }
}

/**
 * Turns the token that a request presents into its caller.
 * @throws {VendError} `unauthenticated`, always the same whatever is wrong with the token; `upstream_unavailable` when
 * no key of the token's issuer could be fetched yet
 */
export type Authenticate = (request: FastifyRequest, token: string) => Promise<Caller>

type Options = Readonly<{
  /** Epoch milliseconds, which the dates of tokens are compared with. */
  now: () => number
  /** Where verified tokens are remembered, if they are. */
  verifiedTokens?: VerifiedTokens | undefined
}>

/**
 * Registers one @fastify/jwt verifier for each issuer, with algorithms, `iss` and `aud` pinned, and returns the one
 * function that uses them. The unverified `iss` does nothing but choose among them.
 */
export async function registerIdentity(
  app: FastifyInstance,
  issuers: readonly TrustedIssuer[],
  { now, verifiedTokens }: Options,
): Promise<Authenticate> {
  app.decorateRequest('presentedToken', '')
  for (const { issuer, key, keySet } of issuers) {
    await app.register(fastifyJwt, {
      namespace: issuer.name,
      jwtVerify: `verify:${issuer.name}`,
      secret: key ? configured(key) : fetched(keySet),
      decode: { complete: true },
      verify: {
        algorithms: [...issuer.algorithms],
        allowedIss: issuer.issuer,
        allowedAud: [...issuer.audience],
        requiredClaims: ['iss', 'aud', 'exp', 'sub'],
        // Dates are for dateFault: fast-jwt reads the machine's clock, and takes any number for a date.
        ignoreExpiration: true,
        ignoreNotBefore: true,
        extractToken: (request: FastifyRequest) => request.presentedToken,
      },
    })
  }

  async function verify(request: FastifyRequest, token: string): Promise<VerifiedToken> {
    const unverified = readToken(token)
    if (!unverified) throw refusal('malformed')
    const trusted = issuers.find(({ issuer }) => issuer.issuer === unverified.payload.iss)
    if (!trusted) throw refusal('issuer')
    const { issuer } = trusted
    // Checked before any key is looked up, so that a token cannot make us fetch keys for an algorithm we refuse.
    if (!issuer.algorithms.some((algorithm) => algorithm === unverified.header.alg)) throw refusal('algorithm')
    const otherType = typeFault(unverified, issuer)
    if (otherType) throw refusal(otherType)
    // Asked before the signature is checked: a key that is replaced meanwhile makes a stale entry, not a wrong one.
    const keys = keysInUse(trusted)
    const claims = await verified(request, token, trusted, unverified)
    const caller = { issuer: issuer.name, subject: claims.sub, claims, expiresAt: claims.exp * 1000 }
    return { caller, trusted, keys }
  }

  return async function authenticate(request, token) {
    const known = verifiedTokens?.find(token)
    const { caller, trusted, keys } = known ?? (await verify(request, token))
    // Each time: a signature stays good, and a date does not.
    const badDate = dateFault(caller.claims, trusted.issuer, now())
    if (badDate) {
      if (known) verifiedTokens?.delete(token)
      throw refusal(badDate)
    }
    if (!known) verifiedTokens?.add(token, { caller: frozen(caller), trusted, keys })
    return caller
  }
}

/** One request must not change what the next one with this token is taken for. */
function frozen(caller: Caller): Caller {
  Object.freeze(caller.claims)
  return Object.freeze(caller)
}

/** The claims of a token, once its signature, `iss` and `aud` are found good. */
async function verified(
  request: FastifyRequest,
  token: string,
  { issuer, keySet }: TrustedIssuer,
  unverified: UnverifiedToken,
): Promise<VerifiedClaims> {
  const revision = keySet?.revision() ?? 0
  const verify = async () => {
    const claims = await request[`verify:${issuer.name}`]?.()
    if (!areClaims(claims)) throw new TypeError('the token has no subject or no end')
    return claims
  }
  request.presentedToken = token
  try {
    return await verify()
  } catch (error) {
    // The issuer may have put a new key under the old `kid`.
    const suspect = !isAboutKeys(error) && likelyReason(unverified, issuer) === 'signature'
    try {
      if (!suspect || !(await keySet?.changedSince(revision))) throw error
      return await verify()
    } catch (again) {
      throw refusalFor(again, issuer, unverified)
    }
  } finally {
    request.presentedToken = ''
  }
}

type VerifiedClaims = Readonly<{ sub: string; exp: number }> & Readonly<Record<string, unknown>>

function areClaims(value: unknown): value is VerifiedClaims {
  if (typeof value !== 'object' || value === null || !('sub' in value) || !('exp' in value)) return false
  return typeof value.sub === 'string' && value.sub !== '' && typeof value.exp === 'number'
}

function refusalFor(error: unknown, issuer: Issuer, unverified: UnverifiedToken): VendError {
  if (error instanceof KeysUnavailableError) return keysUnavailable(issuer, error)
  return refusal(error instanceof UnknownKeyError ? 'key' : likelyReason(unverified, issuer))
}

const isAboutKeys = (error: unknown) => error instanceof KeysUnavailableError || error instanceof UnknownKeyError

/** Why a token was answered 503: its issuer has no usable keys, or only the key of this token cannot be looked up. */
export const NO_KEYS = 'keys'
export const UNKNOWN_KEY = 'unknown_key'

/** Not the token's fault: its caller would fetch another in vain. */
const keysUnavailable = ({ name }: Issuer, { retryAfterSeconds, usable }: KeysUnavailableError) =>
  new VendError('upstream_unavailable', {
    retryAfterSeconds,
    log: { reason: usable ? UNKNOWN_KEY : NO_KEYS, issuer: name },
    // Anyone can invent a key's id. Failed fetches have a line of their own.
    ...(usable && { logLevel: 'info' }),
  })

/** One word for the log, never for the caller. The messages of token libraries quote claims. */
type Reason = 'malformed' | 'issuer' | 'algorithm' | 'key' | 'audience' | 'subject' | 'signature' | MeaningFault

const refusal = (reason: Reason) => new VendError('unauthenticated', { log: { reason } })

/** Why a token that the verifier refused was probably refused; @fastify/jwt has one code for most of it. */
function likelyReason({ payload }: UnverifiedToken, issuer: Issuer): Reason {
  const { aud, sub, exp } = payload
  if (![aud].flat().some((one) => issuer.audience.some((audience) => audience === one))) return 'audience'
  if (typeof sub !== 'string' || sub === '') return 'subject'
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'date'
  return 'signature'
}

type TellKey = (error: Error | null, key: string) => void

/**
 * Asked for each token, as the key may have changed since the last. fast-jwt keeps no verdicts unless told to, and
 * @fastify/jwt keeps its verifiers by their key, so what the old one has verified is not remembered.
 */
function configured({ current }: ConfiguredKey) {
  return (_request: FastifyRequest, _token: unknown, done: TellKey) => done(null, current())
}

function fetched(keySet: KeySet | undefined) {
  return async (_request: FastifyRequest, token: UnverifiedToken | Record<string, unknown>) => {
    const { alg, kid } = hintSchema.parse(token.header)
    const key = await keySet?.find({ alg, kid })
    if (key === undefined) throw new UnknownKeyError()
    return key
  }
}

const hintSchema = z.looseObject({ alg: z.string(), kid: z.string().optional() })

class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError'
}
