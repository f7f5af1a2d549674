import { type ClaimCondition, failureOf } from '../../claims/condition.ts'
import type { Template } from '../../template/template.ts'
import type { Rule } from './rule.ts'

/** Any repository on GitHub can have a token with this service's audience, and anyone can have a repository. */
export const publicIssuer: Rule = {
  id: 'public-issuer',
  severity: 'error',
  remedy: 'name under allow who may use it, by a claim that strangers cannot have',
  *check({ template: { allow }, settings: { strangers = {} } }) {
    if (!allow) return
    for (const [issuer, claims] of Object.entries(strangers)) {
      if (!waysFor(issuer, allow).some((conditions) => !keepsOut(conditions, claims))) continue
      yield {
        path: ['allow'],
        message: `strangers have tokens of ${issuer} too, with any audience, and no condition keeps all of them out`,
        remedy: `name who may use it by one of ${Object.keys(claims).join(', ')}`,
      }
    }
  },
}

/** For each way in that callers of an issuer have: its conditions. */
function waysFor(issuer: string, allow: NonNullable<Template['allow']>): readonly (readonly ClaimCondition[])[] {
  const takes = (terms: Readonly<{ issuer?: readonly string[] | undefined }>) => terms.issuer?.includes(issuer) ?? true
  if (!takes(allow)) return []
  const always = allow.claims ?? []
  return allow.any?.filter(takes).map(({ claims = [] }) => [...always, ...claims]) ?? [always]
}

/** A stranger can give any other claim whatever value the condition asks for. */
const keepsOut = (conditions: readonly ClaimCondition[], claims: Readonly<Record<string, string>>): boolean =>
  conditions.some((condition) => {
    const [name = '', ...deeper] = condition.path
    return deeper.length === 0 && Object.hasOwn(claims, name) && failureOf(condition, claims, 0) !== undefined
  })
