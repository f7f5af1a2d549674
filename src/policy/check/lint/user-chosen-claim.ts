import { SUBJECT } from '../../claims/claim.ts'
import type { Rule } from './rule.ts'

/** A user who can change a claim opens the folder of anyone it can name. */
export const userChosenClaim: Rule = {
  id: 'user-chosen-claim',
  severity: 'error',
  remedy:
    'use ${jwt:sub}, with this claim below it at most; accept it only if users cannot change it and no value is ever given to a second person',
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

/** Whether a claim, judged by its name, is one that users can set. */
export const isUserChosen = ({ path: [first = '', ...rest] }: Readonly<{ path: readonly string[] }>): boolean =>
  USERS_OWN.has(first) || CHOSEN.has(lastWord(rest.at(-1) ?? first))

/** `email` for `https://example.com/email` and for `Email`. */
const lastWord = (name: string) => name.toLowerCase().split(/[/:]/u).at(-1) ?? ''

/** OpenID Connect's standard claims that users can set, and providers' names for them. */
const CHOSEN: ReadonlySet<string> = new Set([
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
  ...['website', 'email', 'mail', 'gender', 'birthdate', 'zoneinfo', 'locale', 'phone_number', 'address'],
  ...['username', 'user_name', 'login', 'display_name', 'displayname', 'unique_name', 'upn', 'phone', 'avatar_url'],
])

/** Objects that users of Auth0 and Supabase fill in freely. */
const USERS_OWN: ReadonlySet<string> = new Set(['user_metadata', 'raw_user_meta_data'])
