import { isVariable, type Segment, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `users/${jwt:sub}*`: whoever is called `alice` opens what belongs to `alice2`. */
export const variableBeforeWildcard: Rule = {
  id: 'variable-before-wildcard',
  severity: 'error',
  remedy: 'put a / between them, as in users/${jwt:sub}/*',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const segment = key.find(mixesWildcard)
      const variable = segment?.find(isVariable)
      if (!variable) continue
      const written = writeAtom(variable)
      yield {
        path,
        message: `${written} and * have no / between them, so one caller's value opens another's that begins or ends with it: alice's alice2`,
      }
    }
  },
}

const mixesWildcard = (segment: Segment) => segment.some(isVariable) && segment.some(({ kind }) => kind === 'wildcard')
