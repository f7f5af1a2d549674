import { nearest } from '../../../lib/nearest.ts'
import { SUBJECT } from '../../claims/claim.ts'
import { isLossy, writeClaim } from '../../claims/transform.ts'
import { namesCaller } from '../../template/shape.ts'
import { isDeclaredShared } from '../../template/shared-by.ts'
import type { Rule } from './rule.ts'
import { isUserChosen } from './user-chosen-claim.ts'

/**
 * Everybody in a team opens `teams/${jwt:team}/*`, so the template must say that this is intended. So does everybody at
 * one host open `mail/${jwt:email|domain}/*`, although nobody else has the same e-mail.
 */
export const sharedFolder: Rule = {
  id: 'shared-folder',
  severity: 'error',
  remedy: 'put ${jwt:sub}/ below it, or write sharedBy: [<claim>] if sharing is intended',
  *check({ template, resources }) {
    for (const { path, key } of resources) {
      const claims = key.flat().filter((atom) => atom.kind === 'jwt')
      if (claims.some(namesCaller)) continue
      const chosen = claims.some(isUserChosen)
      const undeclared = claims.find((claim) => {
        // For a claim that users choose, sharedBy would not help: that is user-chosen-claim.
        if (chosen && !isLossy(claim.transform)) return false
        return !isDeclaredShared(template.sharedBy, claim)
      })
      if (undeclared) {
        const shared = isLossy(undeclared.transform) ? writeClaim(undeclared) : undeclared.claim
        yield {
          path,
          message: `several people can have the same ${shared}, and each of them opens this folder`,
          // A folder of everybody must not be the first advice for a typing error.
          remedy: `${isNearSubject(undeclared.path) ? 'did you mean jwt:sub? Otherwise ' : ''}put \${jwt:sub}/ below it, or write sharedBy: ["${shared}"] if sharing is intended`,
        }
      }
    }
  },
}

const isNearSubject = ([step, ...more]: readonly string[]): boolean =>
  step !== undefined && step !== SUBJECT && more.length === 0 && nearest(step, [SUBJECT]) !== undefined
