import { SUBJECT } from '../../claims/claim.ts'
import type { Rule } from './rule.ts'

/** A user who can change a claim can walk into the folder of whoever it names. */
export const userChosenClaim: Rule = {
  id: 'user-chosen-claim',
  severity: 'error',
  remedy:
    'use ${jwt:sub}, which the issuer never gives to a second person; this claim may stand below it. Only a claim that the issuer locks, and never gives to a second person, is as good',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const claims = key.flat().filter((atom) => atom.kind === 'jwt')
      if (claims.some(({ claim }) => claim === SUBJECT)) continue
      const chosen = claims.find(isUserChosen)
      if (chosen) {
        yield { path, message: `users can often change ${chosen.claim} themselves, and so open somebody else's folder` }
      }
    }
  },
}

/** Whether a claim is, by its name, one that users can set. */
export const isUserChosen = ({ path: [first = '', ...rest] }: Readonly<{ path: readonly string[] }>): boolean =>
  USERS_OWN.has(first) || CHOSEN.has(lastWord(rest.at(-1) ?? first))

/** `email` of `https://example.com/email` and of `Email`, too. */
const lastWord = (name: string) => name.toLowerCase().split(/[/:]/u).at(-1) ?? ''

/** OpenID Connect's standard claims that are the user's to set, and what providers call them. */
const CHOSEN: ReadonlySet<string> = new Set([
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
  ...['website', 'email', 'mail', 'gender', 'birthdate', 'zoneinfo', 'locale', 'phone_number', 'address'],
  ...['username', 'user_name', 'login', 'display_name', 'displayname', 'unique_name', 'upn', 'phone', 'avatar_url'],
])

/** Objects that users fill in as they like, at Auth0 and at Supabase. */
const USERS_OWN: ReadonlySet<string> = new Set(['user_metadata', 'raw_user_meta_data'])
