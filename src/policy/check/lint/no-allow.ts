import type { Rule } from './rule.ts'

/** Default deny: a template that says nothing of who may have it is for nobody. */
export const noAllow: Rule = {
  id: 'no-allow',
  severity: 'warning',
  remedy: 'say under allow who may have it; allow: { issuer: app } is everybody of that issuer',
  *check({ template }) {
    if (!template.allow) yield { path: [], message: 'it has no allow, so nobody may have it' }
  },
}
