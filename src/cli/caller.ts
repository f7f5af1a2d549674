import type { GrantRequest } from '../policy/grant/grant.ts'
import type { Template } from '../policy/template/template.ts'
import { CommandError } from './io.ts'

/** The options that describe a caller. */
export type CallerOptions = Readonly<{
  claim?: Readonly<Record<string, unknown>>
  param?: Readonly<Record<string, string>>
  duration?: number
  /** Short name of the caller's issuer; default, as in examples: the template's first, or the first. */
  asIssuer?: string
}>

/**
 * The request of a made-up caller.
 * @throws {CommandError} without a subject
 */
export function grantRequest(
  { claim = {}, param = {}, duration, asIssuer }: CallerOptions,
  issuers: readonly string[],
  { allow }: Pick<Template, 'allow'>,
): GrantRequest {
  const { sub } = claim
  if (typeof sub !== 'string' || sub === '') throw new CommandError('Name the caller: --claim sub=alice', 2)
  if (asIssuer !== undefined && !issuers.includes(asIssuer)) {
    throw new CommandError(`no issuer is called ${asIssuer}; configured: ${issuers.join(', ')}`, 2)
  }
  if ('issuer' in claim) throw new CommandError('The issuer is not a claim here: use --as-issuer', 2)
  return {
    caller: { issuer: asIssuer ?? allow?.issuer?.[0] ?? issuers[0] ?? '', subject: sub, claims: claim },
    params: param,
    durationSeconds: duration,
  }
}
