import { type Denial, denialReason, deniedName } from '../../config/deny-file.ts'
import { nearest } from '../../lib/nearest.ts'
import { withoutTokens } from '../../lib/without-tokens.ts'
import { CommandError, type Io } from '../io.ts'
import { configuredIssuers } from '../settings.ts'

/** The options that name an entry. */
export type NameOptions = Readonly<{ subject?: string; tokenId?: string; issuer?: string; reason?: string }>

/**
 * The entry that options name.
 * @param known whether the issuer must be one of the service's: an entry for another would deny nobody, in silence
 * @throws {CommandError}
 */
export function namedEntry(
  { env }: Io,
  { subject, tokenId, issuer, reason }: NameOptions,
  { known }: Readonly<{ known: boolean }>,
): Omit<Denial, 'until'> {
  if (subject !== undefined && tokenId !== undefined)
    throw new CommandError('Give --subject or --token-id, not both', 2)
  const names = configuredIssuers(env).map(({ name }) => name)
  if (issuer === undefined) throw new CommandError(`--issuer is required: ${names.join(', ')}`, 2)
  if (known && !names.includes(issuer)) {
    const meant = nearest(issuer, names)
    throw new CommandError(`--issuer must be one of: ${names.join(', ')}${meant ? `. Did you mean ${meant}?` : ''}`, 2)
  }
  const option = subject === undefined ? '--token-id' : '--subject'
  const name = subject ?? tokenId
  if (name !== undefined) check(option, deniedName.safeParse(name))
  // The whole token would be in the list, and anyone who sees it could use it.
  if (name !== undefined && withoutTokens(name) !== name) {
    throw new CommandError(`${option} is a token: give the value of its claim "jti" or "sub"`, 2)
  }
  if (reason !== undefined) check('--reason', denialReason.safeParse(reason))
  return {
    by: subject !== undefined ? 'subject' : tokenId !== undefined ? 'token' : 'issuer',
    issuer,
    name: name ?? '',
    ...(reason !== undefined && { reason: withoutTokens(reason) }),
  }
}

function check(option: string, { error }: ReturnType<typeof deniedName.safeParse>): void {
  const [issue] = error?.issues ?? []
  if (issue) throw new CommandError(`${option} ${issue.message}`, 2)
}
