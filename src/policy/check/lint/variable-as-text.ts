import { VARIABLE_AS_TEXT } from '../../template/misplaced.ts'
import type { Rule } from './rule.ts'

const { rule: id, severity, message, remedy } = VARIABLE_AS_TEXT

/** `allow: { claims: { sub: "${jwt:sub}" } }` looks like a condition that everybody meets, and nobody meets it. */
export const variableAsText: Rule = {
  id,
  severity,
  remedy,
  *check({ template, resources }) {
    for (const path of template.misplaced) yield { path, message }
    for (const { path, shape } of resources) {
      const odd = shape?.region.some((atom) => atom.kind === 'text' && /[${}]/u.test(atom.text))
      if (odd) yield { path, message, remedy: 'write * or ${region} there' }
    }
  },
}
