import leven from 'leven'
import { type Issuer, type IssuerValue, NONE } from '../../identity/issuer.ts'
import type { TrustedIssuer } from '../../identity/trusted-issuer.ts'
import { count } from '../io.ts'

/** The issuer that a token was probably meant for, and how its `iss` differs. */
export type NearIssuer = Readonly<{ trusted: TrustedIssuer; iss: string; difference: string }>

/** More edits than this in ten characters make another address, not a typing error. */
const EDITS_PER_TEN = 1

/** Finds the configured `iss` that is nearest to one that is not configured. */
export function nearestIssuer(iss: unknown, issuers: readonly TrustedIssuer[]): NearIssuer | undefined {
  if (typeof iss !== 'string') return undefined
  const candidates = issuers.flatMap((trusted) =>
    valuesOf(trusted.issuer).map((value) => ({ trusted, iss: value.iss, ...differenceOf(iss, value) })),
  )
  const [best] = candidates
    .filter(({ rank }) => rank !== undefined)
    .toSorted((one, other) => (one.rank ?? 0) - (other.rank ?? 0))
  return best && { trusted: best.trusted, iss: best.iss, difference: best.difference }
}

const valuesOf = ({ issuer }: Issuer): readonly IssuerValue[] => (issuer === NONE ? [] : issuer)

type Difference = Readonly<{ rank: number | undefined; difference: string }>

function differenceOf(found: string, { iss: wanted, tenant }: IssuerValue): Difference {
  if (found === `${wanted}/`) return { rank: 0, difference: 'the token has a slash at its end, the setting has none' }
  if (`${found}/` === wanted) return { rank: 0, difference: 'the setting has a slash at its end, the token has none' }
  const scheme = /^https?:/iu
  if (scheme.test(found) && scheme.test(wanted) && found.replace(scheme, '') === wanted.replace(scheme, '')) {
    return { rank: 1, difference: `the token has ${found.split(':')[0]}, the setting has ${wanted.split(':')[0]}` }
  }
  if (`https://${found}` === wanted || `https://${wanted}` === found) {
    return { rank: 1, difference: 'one of the two has https:// and the other has none' }
  }
  if (found.trim() === wanted.trim()) return { rank: 1, difference: 'they differ in white space at their ends' }
  if (found.toLowerCase() === wanted.toLowerCase()) return { rank: 2, difference: 'they differ in capitals' }
  if (tenant !== undefined && isOfAnotherTenant(found, wanted, tenant)) {
    return { rank: 3, difference: 'it has the same form for a tenant that is not in the list' }
  }
  // Every address begins with https://.
  const isPart = found.length > wanted.length / 2 && wanted.startsWith(found)
  if (isPart || found.startsWith(wanted)) {
    return { rank: 4, difference: 'one of the two goes on after the end of the other' }
  }
  const most = Math.max(2, Math.ceil((wanted.length / 10) * EDITS_PER_TEN))
  const edits = found.length > 2048 ? most + 1 : leven(found, wanted, { maxDistance: most + 1 })
  if (edits <= most) return { rank: 5 + edits, difference: `they are ${count(edits, 'edit')} apart` }
  const [one, other] = [hostOf(found), hostOf(wanted)]
  if (one !== undefined && one === other) return { rank: 1000, difference: 'the host is the same, the path is not' }
  return { rank: undefined, difference: '' }
}

function isOfAnotherTenant(found: string, wanted: string, tenant: string): boolean {
  const at = wanted.indexOf(tenant)
  const [before, after] = [wanted.slice(0, at), wanted.slice(at + tenant.length)]
  if (!found.startsWith(before) || !found.endsWith(after)) return false
  return /^[^/]+$/u.test(found.slice(before.length, found.length - after.length))
}

const hostOf = (text: string) => (URL.canParse(text) ? new URL(text).host || undefined : undefined)
