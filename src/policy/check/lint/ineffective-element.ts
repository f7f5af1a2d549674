import type { Rule } from './rule.ts'

/** OSS does not yet honour `Deny` and `Condition`: a template with one promises what JD Cloud does not keep. */
export const ineffectiveElement: Rule = {
  id: 'ineffective-element',
  severity: 'error',
  remedy: 'allow less: narrow Resource and Action, or give the template conditions under allow',
  *check({ template }) {
    for (const [index, { effect, conditional }] of template.statements.entries()) {
      const path = ['policy', 'Statement', index]
      if (effect === 'Deny')
        yield { path: [...path, 'Effect'], message: 'Deny is not effective for OSS, and keeps nobody out' }
      if (conditional)
        yield {
          path: [...path, 'Condition'],
          message: 'Condition is not effective for OSS, and the statement holds without it',
        }
    }
  },
}
