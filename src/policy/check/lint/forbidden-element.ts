import type { Rule } from './rule.ts'

/** STS refuses these elements in a session policy; `NotAction` and `NotResource` also allow all but what they name. */
export const forbiddenElement: Rule = {
  id: 'forbidden-element',
  severity: 'error',
  remedy: 'use Action and Resource for what is allowed, and allow for who may have it',
  *check({ template }) {
    for (const [index, { forbidden }] of template.statements.entries()) {
      for (const element of forbidden) {
        yield {
          path: ['policy', 'Statement', index, element],
          message: `a session policy must not have ${element}`,
        }
      }
    }
  },
}
