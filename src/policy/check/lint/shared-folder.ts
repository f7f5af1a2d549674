import { SUBJECT, sameClaim } from '../../claims/claim.ts'
import type { Rule } from './rule.ts'
import { isUserChosen } from './user-chosen-claim.ts'

/** `teams/${jwt:team}/*` is everybody's of a team: that has to be meant. */
export const sharedFolder: Rule = {
  id: 'shared-folder',
  severity: 'error',
  remedy: 'put ${jwt:sub}/ below it, or say that it is shared on purpose: sharedBy: [<claim>]',
  *check({ template, resources }) {
    for (const { path, key } of resources) {
      const claims = key.flat().filter((atom) => atom.kind === 'jwt')
      if (claims.some(({ claim }) => claim === SUBJECT)) continue
      const meant = (claim: readonly string[]) => template.sharedBy.some((shared) => sameClaim(shared, claim))
      // A claim that users choose is another rule's: sharing it on purpose would not help.
      const undeclared = claims.some(isUserChosen) ? undefined : claims.find((atom) => !meant(atom.path))
      if (undeclared) {
        yield {
          path,
          message: `several people can have the same ${undeclared.claim}, and each of them opens this folder`,
          remedy: `put \${jwt:sub}/ below it, or say that it is shared on purpose: sharedBy: [${undeclared.claim}]`,
        }
      }
    }
  },
}
