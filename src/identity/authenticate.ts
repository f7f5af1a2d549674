import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { VendError } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { Issuer } from './issuer.ts'
import { type KeySet, KeysUnavailableError } from './key-set.ts'
import { readToken, type UnverifiedToken } from './token.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The token that is being verified; @fastify/jwt takes it from here, wherever the route found it. */
    presentedToken: string
    /** One of these for each configured issuer, by @fastify/jwt. */
    [verify: `verify:${string}`]: () => Promise<unknown>
  }
}

/** An issuer with the keys that are fetched for it, if its key is not configured. */
export type TrustedIssuer = Readonly<{ issuer: Issuer; keySet?: KeySet | undefined }>

/**
 * Turns the token that a request presents into its caller.
 * @throws {VendError} `unauthenticated`, always the same whatever is wrong with the token; `upstream_unavailable` when
 * no key of the token's issuer could be fetched yet
 */
export type Authenticate = (request: FastifyRequest, token: string) => Promise<Caller>

const verifiedClaims = z.looseObject({ sub: z.string().min(1) })

/**
 * Registers one @fastify/jwt verifier for each issuer, with algorithms, `iss` and `aud` pinned, and returns the one
 * function that uses them. The unverified `iss` does nothing but choose among them.
 */
export async function registerIdentity(app: FastifyInstance, issuers: readonly TrustedIssuer[]): Promise<Authenticate> {
  app.decorateRequest('presentedToken', '')
  for (const { issuer, keySet } of issuers) {
    await app.register(fastifyJwt, {
      namespace: issuer.name,
      jwtVerify: `verify:${issuer.name}`,
      secret: secretOf(issuer, keySet),
      decode: { complete: true },
      verify: {
        algorithms: [...issuer.algorithms],
        allowedIss: issuer.issuer,
        allowedAud: [...issuer.audience],
        requiredClaims: ['iss', 'aud', 'exp', 'sub'],
        clockTolerance: issuer.clockToleranceSeconds * 1000,
        extractToken: (request: FastifyRequest) => request.presentedToken,
      },
    })
  }

  return async function authenticate(request, token) {
    const unverified = readToken(token)
    const trusted = issuers.find(({ issuer }) => issuer.issuer === unverified?.payload.iss)
    // Checked before any key is looked up, so that a token cannot make us fetch keys for an algorithm we refuse.
    if (!trusted?.issuer.algorithms.some((algorithm) => algorithm === unverified?.header.alg)) {
      throw refusal('shape, issuer or algorithm')
    }
    request.presentedToken = token
    try {
      const claims = verifiedClaims.parse(await request[`verify:${trusted.issuer.name}`]?.())
      return { issuer: trusted.issuer.name, subject: claims.sub, claims }
    } catch (error) {
      if (error instanceof KeysUnavailableError) throw new VendError('upstream_unavailable', { retryAfterSeconds: 2 })
      throw refusal(codeOf(error))
    } finally {
      request.presentedToken = ''
    }
  }
}

/** The reason goes to the log as a code, never as a message: those of token libraries quote claims. */
const refusal = (reason: string) => new VendError('unauthenticated', { log: { reason } })

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'claims'
}

function secretOf({ keys }: Issuer, keySet: KeySet | undefined) {
  if (keys.kind === 'secret') return keys.secret
  if (keys.kind === 'public-key') return { public: keys.pem, private: '' }
  return async (_request: FastifyRequest, token: UnverifiedToken | Record<string, unknown>) => {
    const { alg, kid } = hintSchema.parse(token.header)
    const key = await keySet?.find({ alg, kid })
    if (key === undefined) throw new UnknownKeyError()
    return key
  }
}

const hintSchema = z.looseObject({ alg: z.string(), kid: z.string().optional() })

class UnknownKeyError extends Error {
  readonly code = 'unknown_key'
}
