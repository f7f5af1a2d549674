import type { Rule } from './rule.ts'

/** Default deny: without `allow`, a template is for nobody. */
export const noAllow: Rule = {
  id: 'no-allow',
  severity: 'warning',
  remedy: 'say under allow who may use it; allow: { issuer: app } means every user of that issuer',
  *check({ template }) {
    if (!template.allow) yield { path: [], message: 'it has no allow, so nobody may use it' }
  },
}
