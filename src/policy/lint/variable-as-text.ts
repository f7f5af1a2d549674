import type { Rule } from './rule.ts'

/** `allow: { claims: { sub: "${jwt:sub}" } }`: it reads like a condition that everybody meets, and nobody ever does. */
export const variableAsText: Rule = {
  id: 'variable-as-text',
  severity: 'error',
  remedy: 'write the value itself; variables are for Resource, as in users/${jwt:sub}/*',
  *check({ template, resources }) {
    for (const path of template.misplaced) yield { path, message: VARIABLE_AS_TEXT }
    for (const { path, shape } of resources) {
      const odd = shape?.region.some((atom) => atom.kind === 'text' && /[${}]/u.test(atom.text))
      if (odd) yield { path, message: VARIABLE_AS_TEXT, remedy: 'write * or ${region} there' }
    }
  },
}

/** What is wrong with a variable at a place that has none. */
export const VARIABLE_AS_TEXT = 'a variable stands here, where it is never filled in: it is compared as plain text'
