import { SUBJECT, sameClaim } from '../../claims/claim.ts'
import type { Rule } from './rule.ts'
import { isUserChosen } from './user-chosen-claim.ts'

/** Everybody in a team opens `teams/${jwt:team}/*`, so the template must say that this is intended. */
export const sharedFolder: Rule = {
  id: 'shared-folder',
  severity: 'error',
  remedy: 'put ${jwt:sub}/ below it, or write sharedBy: [<claim>] if sharing is intended',
  *check({ template, resources }) {
    for (const { path, key } of resources) {
      const claims = key.flat().filter((atom) => atom.kind === 'jwt')
      if (claims.some(({ claim }) => claim === SUBJECT)) continue
      const meant = (claim: readonly string[]) => template.sharedBy.some((shared) => sameClaim(shared, claim))
      // For a claim that users choose, sharedBy would not help: that is user-chosen-claim.
      const undeclared = claims.some(isUserChosen) ? undefined : claims.find((atom) => !meant(atom.path))
      if (undeclared) {
        yield {
          path,
          message: `several people can have the same ${undeclared.claim}, and each of them opens this folder`,
          remedy: `put \${jwt:sub}/ below it, or write sharedBy: [${undeclared.claim}] if sharing is intended`,
        }
      }
    }
  },
}
