import type { Rule } from './rule.ts'

/** Each issuer decides what stands in its own claims: one that is trusted with one tenant can name every other. */
export const targetOfAnyIssuer: Rule = {
  id: 'target-of-any-issuer',
  severity: 'error',
  remedy: 'name under allow the issuers that you trust with this claim: allow: { issuer: <name> }',
  *check({ template: { allow, target, params }, settings: { issuers } }) {
    const own = target?.kind === 'param' ? params[target.name]?.oneOf : undefined
    const claim = target?.kind === 'jwt' ? target.claim : own?.claim
    if (claim === undefined || issuers.length < 2 || !allow || allow.issuer) return
    if (allow.any?.every(({ issuer }) => issuer)) return
    yield {
      path: ['target', 'from'],
      message: `every configured issuer can put any value into ${claim}, and so choose any target`,
    }
  },
}
