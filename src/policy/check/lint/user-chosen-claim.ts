import { namesCaller } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** A user who can change a claim opens the folder of anyone it can name. */
export const userChosenClaim: Rule = {
  id: 'user-chosen-claim',
  severity: 'error',
  remedy:
    'use ${jwt:sub}, with this claim below it at most; accept it only if users cannot change it and no value is ever given to a second person',
  *check({ template: { target, params }, resources }) {
    const choosing = target?.kind === 'param' ? params[target.name]?.oneOf : target
    if (choosing && 'path' in choosing && isUserChosen(choosing)) {
      const message = `users can often change ${choosing.claim} themselves, and so choose another target`
      yield { path: ['target', 'from'], message, remedy: 'choose by a claim that users cannot change' }
    }
    for (const { path, key } of resources) {
      const claims = key.flat().filter((atom) => atom.kind === 'jwt')
      if (claims.some(namesCaller)) continue
      const chosen = claims.find(isUserChosen)
      if (chosen) {
        yield { path, message: `users can often change ${chosen.claim} themselves, and so open somebody else's folder` }
      }
    }
  },
}

/**
 * Whether a claim is, by its name, one that users can set. Each step of its path counts: what is below `user_metadata`
 * or `profile` is as much the user's own. At Cognito, users write attributes of their own (`custom:`) unless told not to.
 */
export const isUserChosen = ({ path }: Readonly<{ path: readonly string[] }>): boolean =>
  path.some((step) => step.startsWith('custom:') || words(step).some((word) => CHOSEN.has(word)))

/** `email` of `https://example.com/email`; `preferredusername` of `preferred_username`, `preferredUsername` and so on. */
const words = (step: string) =>
  step
    .replace(/^https?:\/\/[^/]*/iu, '')
    .split(/[/:#]/u)
    .map((word) => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''))

const CHOSEN: ReadonlySet<string> = new Set([
  // OpenID Connect's standard claims that are the user's to set, and what providers call them.
  ...[
    'name',
    'givenname',
    'familyname',
    'middlename',
    'fullname',
    'firstname',
    'lastname',
    'surname',
    'nickname',
    'nick',
  ],
  ...[
    'preferredusername',
    'username',
    'login',
    'loginname',
    'displayname',
    'screenname',
    'uniquename',
    'handle',
    'alias',
  ],
  ...['upn', 'userprincipalname', 'profile', 'userprofile', 'picture', 'avatar', 'avatarurl', 'website', 'bio'],
  ...[
    'email',
    'emails',
    'emailaddress',
    'emailaddresses',
    'useremail',
    'primaryemail',
    'verifiedemail',
    'mail',
    'mails',
  ],
  ...['othermails', 'gender', 'birthdate', 'birthday', 'zoneinfo', 'timezone', 'locale', 'language', 'address'],
  ...['phone', 'phonenumber', 'phonenumbers', 'mobile', 'mobilephone'],
  // Objects that users fill in as they like: at Auth0, Supabase, Clerk and Ory.
  ...['usermetadata', 'rawusermetadata', 'unsafemetadata', 'traits', 'preferences'],
])
