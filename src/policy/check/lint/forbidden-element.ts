import type { Rule } from './rule.ts'

/** What a session policy must not have: STS refuses it, or it allows everything but what is named. */
export const forbiddenElement: Rule = {
  id: 'forbidden-element',
  severity: 'error',
  remedy: 'say with Action and Resource what is allowed; who may have it stands under allow',
  *check({ template }) {
    for (const [index, { forbidden }] of template.statements.entries()) {
      for (const element of forbidden) {
        yield {
          path: ['policy', 'Statement', index, element],
          message: `${element} is not allowed in a session policy`,
        }
      }
    }
  },
}
