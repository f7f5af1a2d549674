import type { GrantRequest } from '../policy/grant.ts'
import type { LintSettings } from '../policy/lint/rule.ts'
import { CommandError } from './io.ts'

/** What commands are told of a caller. */
export type CallerOptions = Readonly<{
  claim?: Readonly<Record<string, unknown>>
  param?: Readonly<Record<string, string>>
  duration?: number
  /** The first is the caller's; all of them are those that are configured. */
  issuer?: readonly string[]
}>

/**
 * The request of a made-up caller.
 * @throws {CommandError} without a subject
 */
export function grantRequest(
  { claim = {}, param = {}, duration, issuer }: CallerOptions,
  settings: LintSettings,
): GrantRequest {
  const { sub } = claim
  if (typeof sub !== 'string' || sub === '') throw new CommandError('Say who asks: --claim sub=alice', 2)
  return {
    caller: { issuer: issuer?.[0] ?? settings.issuers[0] ?? '', subject: sub, claims: claim },
    params: param,
    durationSeconds: duration,
  }
}
