import { conditionsOn } from '../../claims/allow.ts'
import { SUBJECT } from '../../claims/claim.ts'
import type { Rule } from './rule.ts'

/** Who lacks a claim that a resource is named after is refused; `allow` should say so where reviewers look. */
export const claimNotRequired: Rule = {
  id: 'claim-not-required',
  severity: 'warning',
  remedy: 'name it under allow: claims: { <claim>: { present: true } }',
  *check({ template, resources }) {
    for (const { path, key } of resources) {
      for (const atom of key.flat()) {
        if (atom.kind !== 'jwt' || atom.claim === SUBJECT || !template.allow) continue
        if (conditionsOn(template, atom.path).length > 0) continue
        yield { path, message: `who has no ${atom.claim} is refused, and allow does not say that it is needed` }
      }
    }
  },
}
