import { VendError } from '../errors.ts'
import type { Caller } from '../identity/caller.ts'
import type { Clock } from '../lib/clock.ts'
import { type Tracing, untraced } from '../lib/tracing.ts'
import { type PresignedPost, presignPost } from '../oss/presigned-post.ts'
import { METHODS, presignUrl, type SignableOperation, type Store } from '../oss/presigned-url.ts'
import type { Catalogue } from '../policy/check/catalogue.ts'
import { fillIn, type Grant, type GrantSettings } from '../policy/grant/grant.ts'
import { type Access, sharedGrant } from '../policy/grant/shared-grant.ts'
import { type Targets, targetFor } from '../policy/grant/target.ts'
import { policySchema } from '../policy/language/document.ts'
import { OPERATION_ACTIONS, type Operation } from '../policy/language/operations.ts'
import type { Session } from '../sessions/session.ts'
import type { SessionSource } from '../sessions/session-source.ts'
import { namingTarget } from './naming-target.ts'
import { type Life, lifeOf } from './signature-life.ts'
import { type AskedKey, checkKeys, requireAllowed } from './signing-check.ts'
import {
  headersOf,
  keysOf,
  neededOperations,
  operationsOf,
  type PostsRequest,
  type SigningRequest,
  type UrlsRequest,
} from './signing-request.ts'
import { grantAttributes, sessionAttributes } from './vending.ts'

/** A request that anyone can make who has the URL. The headers must be sent exactly so. */
export type SignedUrl = Readonly<{
  operation: SignableOperation['operation']
  key: string
  /** Of an `UploadPart`. */
  partNumber?: number
  method: (typeof METHODS)[SignableOperation['operation']]
  url: string
  headers: Readonly<Record<string, string>>
}>

/** A form that anyone can send who has it. */
export type SignedPost = PresignedPost & Readonly<{ contentType?: string }>

/** What was signed and for how long, the caller's own grant that allows it, and the session that signed it with its name. */
export type Signed<T> = Readonly<{
  signed: readonly T[]
  life: Life
  grant: Grant
  session: Session
  signedBy: string
}>

/** The counter for signatures: caller and request in, URLs or forms out. Signs all that was asked for, or nothing. */
export type Signing = Readonly<{
  /** @throws {VendError} any code below 401 and from 403 up */
  signUrls(caller: Caller, request: UrlsRequest): Promise<Signed<SignedUrl>>
  /** Signs a form for each content type. @throws {VendError} any code below 401 and from 403 up */
  signPosts(caller: Caller, request: PostsRequest): Promise<Signed<SignedPost>>
}>

type Dependencies = Readonly<{
  /** The templates of this moment. */
  catalogue: () => Catalogue
  /** Where grants are for, and the store to sign for. */
  targets: Targets<Readonly<{ settings: GrantSettings; oss: Store }>>
  sessions: SessionSource
  /** Least that a session has left, and most that a request takes. */
  minValiditySeconds: number
  deadlineMs: number
  /** Whether nothing may be valid after the token that it was signed for. */
  boundToToken: boolean
  clock: Pick<Clock, 'now' | 'monotonic'>
  tracing?: Tracing | undefined
}>

/** What is to be signed: all operations on all keys. */
type Wanted = Readonly<{ keys: readonly AskedKey[]; operations: readonly Operation[]; access: Access }>

/**
 * Authorises as a vend does, and checks every key against the caller's own grant. Only then it signs, with a session that
 * all callers of the template share: a caller costs no call to STS, and only this check keeps callers apart.
 */
export function createSigning(dependencies: Dependencies): Signing {
  const { catalogue, targets, sessions, clock, minValiditySeconds, deadlineMs, boundToToken } = dependencies
  const { tracing = untraced } = dependencies

  async function authorise(
    caller: Caller,
    { policy, params, expiresInSeconds }: SigningRequest,
    { keys, operations, access }: Wanted,
  ): Promise<Omit<Signed<never>, 'signed'> & Readonly<{ store: Store }>> {
    const template = catalogue().get(policy)
    if (!template) throw new VendError('policy_not_found')
    const asked = { caller, params, at: clock.now() }
    const { settings, oss: store } = targetFor(template, asked, targets)
    const authorised = () => {
      const grant = fillIn(template, asked, settings)
      requireAllowed(policySchema.parse(JSON.parse(grant.policy)), keys, operations, settings)
      return grant
    }
    const grant = tracing.span('authorise', authorised, { describe: grantAttributes })

    const shared = sharedGrant(template, access, settings, grant)
    const needs = {
      // Not the caller, whose limit and turn must not decide for all who wait for the same session. One that is too short
      // to be kept is a call for each caller, and counts as such.
      owner: shared.durationSeconds > minValiditySeconds ? { shared: shared.roleSessionName } : caller,
      // Not as long as was asked for: a shorter signature now is worth more than a refusal while STS is down.
      validityMs: minValiditySeconds * 1000,
      until: clock.monotonic() + deadlineMs,
    }
    const ask = () => tracing.span('session', () => sessions.session(shared, needs), { describe: sessionAttributes })
    const session = await namingTarget(grant.target, ask)
    const limits = {
      askedSeconds: expiresInSeconds,
      grantSeconds: grant.durationSeconds,
      tokenEndsAt: boundToToken ? caller.expiresAt : Number.POSITIVE_INFINITY,
    }
    return { grant, session, signedBy: shared.roleSessionName, store, life: lifeOf(session, limits, clock) }
  }

  return {
    async signUrls(caller, request) {
      const keys = keysOf(request)
      checkKeys(keys)
      const operations = neededOperations(request)
      const reads = operations.every((operation) => OPERATION_ACTIONS[operation] === 'oss:GetObject')
      const { store, ...told } = await authorise(caller, request, {
        keys,
        operations,
        access: reads ? 'reads' : 'writes',
      })
      const { at, seconds } = told.life
      const headers = headersOf(request)
      const signed = keys.flatMap(({ key }) =>
        operationsOf(request).map((what) => ({
          operation: what.operation,
          key,
          ...('partNumber' in what && { partNumber: what.partNumber }),
          method: METHODS[what.operation],
          url: presignUrl(store, told.session, what, { key, headers, at, expiresSeconds: seconds }),
          headers,
        })),
      )
      return { ...told, signed }
    },

    async signPosts(caller, request) {
      const { key = '', keyPrefix, minBytes, maxBytes, contentTypes = [undefined] } = request
      const keys: readonly AskedKey[] = [
        keyPrefix === undefined ? { key, pointer: '/key' } : { key: keyPrefix, pointer: '/keyPrefix', prefix: true },
      ]
      checkKeys(keys, true)
      const { store, ...told } = await authorise(caller, request, {
        keys,
        operations: ['PostObject'],
        access: 'writes',
      })
      const where = keyPrefix === undefined ? { exactly: key } : { startsWith: keyPrefix }
      const signed = contentTypes.map((contentType) => ({
        ...(contentType !== undefined && { contentType }),
        ...presignPost(store, told.session, { key: where, minBytes, maxBytes, contentType }, told.life),
      }))
      return { ...told, signed }
    },
  }
}
