import type { Rule } from './rule.ts'

/** JD Cloud documents `Deny` and `Condition` as not yet effective for OSS: they keep nobody out. */
export const ineffectiveElement: Rule = {
  id: 'ineffective-element',
  severity: 'error',
  remedy: 'allow less: narrow Resource and Action, or add conditions under allow',
  *check({ template }) {
    for (const [index, { effect, conditional }] of template.statements.entries()) {
      const path = ['policy', 'Statement', index]
      if (effect === 'Deny') yield { path: [...path, 'Effect'], message: 'OSS ignores Deny: it keeps nobody out' }
      if (conditional)
        yield {
          path: [...path, 'Condition'],
          message: 'OSS ignores Condition: the statement applies without it',
        }
    }
  },
}
