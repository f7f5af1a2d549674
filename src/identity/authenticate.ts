import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { VendError } from '../errors.ts'
import type { Tracing } from '../lib/tracing.ts'
import type { Caller } from './caller.ts'
import { type Issuer, NONE } from './issuer.ts'
import { identityChecks, sourceFor } from './judge.ts'
import { KeysUnavailableError } from './key-set.ts'
import { dateFault } from './meaning.ts'
import type { Reason } from './refusals.ts'
import { subjectOf } from './subject.ts'
import { readToken } from './token.ts'
import { createIssuerFinder, type TrustedIssuer, type TrustedKeys } from './trusted-issuer.ts'
import { keysInUse, type VerifiedToken, type VerifiedTokens } from './verified-tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The token that is being verified; @fastify/jwt takes it from here, wherever the route found it. */
    presentedToken: string
    /** One of these for each source of keys of each configured issuer, by @fastify/jwt. */
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
  /** Longer tokens are refused unread. */
  maxTokenBytes: number
  /** Where verified tokens are remembered, if they are. */
  verifiedTokens?: VerifiedTokens | undefined
}>

/**
 * Registers one @fastify/jwt verifier for each source of keys, with algorithms, `iss` and `aud` pinned, and returns the
 * one function that uses them. The unverified `iss` and `alg` do nothing but choose among them, and no `alg` of a secret
 * ever chooses a public key.
 */
export async function registerIdentity(
  app: FastifyInstance,
  issuers: readonly TrustedIssuer[],
  { now, maxTokenBytes, verifiedTokens }: Options,
): Promise<Authenticate> {
  app.decorateRequest('presentedToken', '')
  const find = createIssuerFinder(issuers)
  for (const { issuer, keys } of issuers) {
    for (const one of keys) {
      const name = verifierName(issuer, one)
      await app.register(fastifyJwt, {
        namespace: name,
        jwtVerify: name,
        secret: keyFinder(one),
        decode: { complete: true },
        verify: {
          algorithms: [...one.source.algorithms],
          ...pinnedClaims(issuer),
          // Dates are for dateFault: fast-jwt reads the machine's clock, and takes any number for a date.
          ignoreExpiration: true,
          ignoreNotBefore: true,
          extractToken: (request: FastifyRequest) => request.presentedToken,
        },
      })
    }
  }

  async function verify(request: FastifyRequest, token: string): Promise<VerifiedToken> {
    if (token.length > maxTokenBytes) throw refusal('too_long', { longerThan: maxTokenBytes })
    const unverified = readToken(token)
    if (!unverified) throw refusal('malformed')
    const trusted = find(unverified.payload)
    if (!trusted) throw refusal('issuer')
    const { issuer } = trusted
    // Checked before any key is looked up, so that a token cannot make us fetch keys that it is not good for.
    const fault = identityChecks(unverified, issuer).find((check) => check.fault !== undefined)?.fault
    if (fault) throw refusal(fault, { issuer: issuer.name })
    const source = sourceFor(issuer, unverified.header.alg)
    const keys = trusted.keys.find((one) => one.source === source)
    if (!keys) throw refusal('algorithm', { issuer: issuer.name })
    // Asked before the signature is checked: a key that is replaced meanwhile makes a stale entry, not a wrong one.
    const revision = keysInUse(keys)
    const claims = await verified(request, token, verifierName(issuer, keys), keys).catch((error: unknown) => {
      throw refusalFor(error, issuer, unverified.payload)
    })
    return { caller: callerOf(claims, issuer), issuer, keys, revision }
  }

  return async function authenticate(request, token) {
    const known = verifiedTokens?.find(token)
    const { caller, issuer, ...more } = known ?? (await verify(request, token))
    // Each time: a signature stays good, and a date does not.
    const badDate = dateFault(caller.claims, issuer, now())
    if (badDate) {
      if (known) verifiedTokens?.delete(token)
      throw refusal(badDate, { issuer: issuer.name })
    }
    if (!known) verifiedTokens?.add(token, { ...more, issuer, caller: frozen(caller) })
    return caller
  }
}

/** The same, as a span that names the issuer of a good token. */
export const traced =
  (authenticate: Authenticate, tracing: Tracing): Authenticate =>
  (request, token) =>
    tracing.span('verify', () => authenticate(request, token), {
      describe: ({ issuer }) => ({ 'oss_vend.issuer': issuer }),
    })

const verifierName = ({ name }: Issuer, { source }: TrustedKeys) => `verify:${name}:${source.origin.kind}` as const

/** The claims that @fastify/jwt checks once more, as far as it can. */
function pinnedClaims({ issuer, audience, audienceClaim }: Issuer) {
  const pinsAudience = audience !== NONE && audienceClaim.join() === 'aud'
  return {
    requiredClaims: ['exp', ...(issuer === NONE ? [] : ['iss']), ...(pinsAudience ? ['aud'] : [])],
    ...(issuer !== NONE && { allowedIss: issuer.map(({ iss }) => iss) }),
    ...(pinsAudience && { allowedAud: [...audience] }),
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
  verifier: ReturnType<typeof verifierName>,
  { keySet }: TrustedKeys,
): Promise<VerifiedClaims> {
  const revision = keySet?.revision() ?? 0
  const verify = async () => {
    const claims = await request[verifier]?.()
    if (!areClaims(claims)) throw new TypeError('the token has no end')
    return claims
  }
  request.presentedToken = token
  try {
    return await verify()
  } catch (error) {
    // The issuer may have put a new key under the old `kid`.
    const suspect = !(error instanceof KeysUnavailableError || error instanceof UnknownKeyError)
    if (!suspect || !(await keySet?.changedSince(revision))) throw error
    return await verify()
  } finally {
    request.presentedToken = ''
  }
}

type VerifiedClaims = Readonly<{ exp: number }> & Readonly<Record<string, unknown>>

function areClaims(value: unknown): value is VerifiedClaims {
  return typeof value === 'object' && value !== null && 'exp' in value && typeof value.exp === 'number'
}

function callerOf(claims: VerifiedClaims, { name, subject: rule }: Issuer): Caller {
  const subject = subjectOf(claims, rule)
  if (subject === undefined) throw refusal('subject', { issuer: name })
  // Templates and the linter take `sub` for the one person, whichever claim names it.
  return { issuer: name, subject, claims: { ...claims, sub: subject }, expiresAt: claims.exp * 1000 }
}

/** @fastify/jwt has one code for most of what it refuses, and its messages quote claims. */
function refusalFor(error: unknown, issuer: Issuer, { exp }: Readonly<Record<string, unknown>>): VendError {
  if (error instanceof KeysUnavailableError) return keysUnavailable(issuer, error)
  const reason = error instanceof UnknownKeyError ? 'key' : typeof exp === 'number' ? 'signature' : 'date'
  return refusal(reason, { issuer: issuer.name })
}

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

/** `more` never has a claim: the limit, or the name of the issuer whose settings the token was checked against. */
const refusal = (reason: Reason, more: Readonly<{ longerThan?: number; issuer?: string }> = {}) =>
  new VendError('unauthenticated', { log: { reason, ...more } })

/**
 * Asked for each token, as the key may have changed since the last. fast-jwt keeps no verdicts unless told to, and
 * @fastify/jwt keeps its verifiers by their key, so what the old one has verified is not remembered.
 */
function keyFinder({ key, keySet }: TrustedKeys) {
  return async (_request: FastifyRequest, token: { header?: unknown } | Record<string, unknown>) => {
    const { alg, kid } = hintSchema.parse(token.header)
    const found = key ? key.find({ alg, kid }) : await keySet?.find({ alg, kid })
    if (found === undefined) throw new UnknownKeyError()
    return found
  }
}

const hintSchema = z.looseObject({ alg: z.string(), kid: z.string().optional() })

class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError'
}
