import type { Rule } from './rule.ts'

/** Examples keep the next change from opening what this one closed. */
export const noExamples: Rule = {
  id: 'no-examples',
  severity: 'warning',
  remedy: 'add a caller, and what that caller can and cannot do',
  *check({ template }) {
    if (template.examples.length === 0)
      yield { path: [], message: 'it has no examples, so nothing shows what it opens' }
  },
}
