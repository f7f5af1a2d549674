import { conditionsOn } from '../../claims/allow.ts'
import { SUBJECT } from '../../claims/claim.ts'
import type { Rule } from './rule.ts'

/** Callers without a claim that a resource uses are refused; reviewers look for that under `allow`. */
export const claimNotRequired: Rule = {
  id: 'claim-not-required',
  severity: 'warning',
  remedy: 'name it under allow: claims: { <claim>: { present: true } }',
  *check({ template, resources }) {
    for (const { path, key } of resources) {
      for (const atom of key.flat()) {
        if (atom.kind !== 'jwt' || atom.claim === SUBJECT || !template.allow) continue
        if (conditionsOn(template, atom.path).length > 0) continue
        yield { path, message: `callers without ${atom.claim} are refused, and allow does not say so` }
      }
    }
  },
}
