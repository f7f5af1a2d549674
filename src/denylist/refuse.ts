import { VendError } from '../errors.ts'
import type { Authenticate } from '../identity/authenticate.ts'
import type { Caller } from '../identity/caller.ts'
import type { VerifiedTokens } from '../identity/verified-tokens.ts'
import type { Session } from '../sessions/session.ts'
import type { Signing } from '../vending/signing.ts'
import type { Vending } from '../vending/vending.ts'
import type { Denylist } from './denylist.ts'
import type { DenyReport } from './report.ts'

type Dependencies = Readonly<{
  denylist: Denylist
  report: Pick<DenyReport, 'denied'>
  verifiedTokens?: Pick<VerifiedTokens, 'delete'> | undefined
  monotonic: () => number
}>

/** Wraps the parts that must not serve a denied caller. */
export type Refusing = Readonly<{
  /** Asked after the token is verified: a forger learns nothing about who is denied. */
  authenticate(authenticate: Authenticate): Authenticate
  vending(vending: Vending): Vending
  signing(signing: Signing): Signing
}>

/** Refuses denied callers before they are served, and once more before something is handed out. */
export function createRefusing({ denylist, report, verifiedTokens, monotonic }: Dependencies): Refusing {
  /** @throws {VendError} */
  function refuse(caller: Caller): void {
    const found = denylist.find(caller)
    if (!found) return
    const { by, issuer, reason } = found.denial
    report.denied(by)
    const log = { deniedBy: by, source: found.source, issuer, ...(reason !== undefined && { why: reason }) }
    // A revoked token is one that does not verify (RFC 6750): its app fetches another. For a person or an issuer another
    // token is no help, and a 401 would make apps fetch one after the other for ever.
    if (by === 'token') throw new VendError('unauthenticated', { log: { reason: 'revoked', ...log } })
    throw new VendError('caller_denied', { log })
  }

  return {
    authenticate: (authenticate) => async (request, token) => {
      const caller = await authenticate(request, token)
      try {
        refuse(caller)
      } catch (error) {
        verifiedTokens?.delete(token)
        throw error
      }
      return caller
    },
    vending: (vending) => ({
      ...vending,
      async vend(caller, request, deadlineMs) {
        const began = monotonic()
        const vended = await vending.vend(caller, request, deadlineMs)
        // The entry may be younger than the request.
        refuse(caller)
        if (beganAt(vended.session) > denylist.liftedAt(caller)) return vended
        // Fetched before the caller was denied, and perhaps by a vend that ended only now.
        const left = deadlineMs === undefined ? undefined : Math.max(1, deadlineMs - (monotonic() - began))
        const renewed = await vending.vend(caller, { ...request, fresh: true }, left)
        refuse(caller)
        return renewed
      },
    }),
    signing: (signing) => ({
      async signUrls(caller, request) {
        const signed = await signing.signUrls(caller, request)
        refuse(caller)
        return signed
      },
      async signPosts(caller, request) {
        const signed = await signing.signPosts(caller, request)
        refuse(caller)
        return signed
      },
    }),
  }
}

/** When a session began, by the monotonic clock; a little earlier for one that another replica left. */
const beganAt = ({ endsAt, lengthMs }: Session) => endsAt - lengthMs
