import type { LintSettings } from '../policy/check/lint/rule.ts'
import type { GrantRequest } from '../policy/grant/grant.ts'
import { CommandError } from './io.ts'

/** What commands are told of a caller. */
export type CallerOptions = Readonly<{
  claim?: Readonly<Record<string, unknown>>
  param?: Readonly<Record<string, string>>
  duration?: number
  /** Short name of the issuer of the caller's token; the first that is configured when left out. */
  asIssuer?: string
}>

/**
 * The request of a made-up caller.
 * @throws {CommandError} without a subject
 */
export function grantRequest(
  { claim = {}, param = {}, duration, asIssuer }: CallerOptions,
  settings: LintSettings,
): GrantRequest {
  const { sub } = claim
  if (typeof sub !== 'string' || sub === '') throw new CommandError('Say who asks: --claim sub=alice', 2)
  if (asIssuer !== undefined && !settings.issuers.includes(asIssuer)) {
    throw new CommandError(`no issuer called ${asIssuer} is configured: there is ${settings.issuers.join(', ')}`, 2)
  }
  if ('issuer' in claim) throw new CommandError('The issuer of a token is no claim here: use --as-issuer', 2)
  return {
    caller: { issuer: asIssuer ?? settings.issuers[0] ?? '', subject: sub, claims: claim },
    params: param,
    durationSeconds: duration,
  }
}
