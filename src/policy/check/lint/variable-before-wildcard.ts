import { isVariable, type Segment, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `users/${jwt:sub}*`: alice opens alice2's folder. */
export const variableBeforeWildcard: Rule = {
  id: 'variable-before-wildcard',
  severity: 'error',
  remedy: 'put a / between them, as in users/${jwt:sub}/*',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const segment = key.find(mixesWildcard)
      const variable = segment?.find(isVariable)
      if (!variable) continue
      const opens =
        variable.kind === 'date'
          ? 'it also opens names that only start with it'
          : "alice's value also opens alice2's folder"
      yield { path, message: `${writeAtom(variable)} touches *: ${opens}` }
    }
  },
}

const mixesWildcard = (segment: Segment) => segment.some(isVariable) && segment.some(({ kind }) => kind === 'wildcard')
