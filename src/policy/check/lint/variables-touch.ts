import { isVariable, type Segment, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `${jwt:sub}-${param:album}`: `a` with `b-c` is the same folder as `a-b` with `c`. */
export const variablesTouch: Rule = {
  id: 'variables-touch',
  severity: 'error',
  remedy: 'put a / between them',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const [first, second] = key.find(sharedByTwo)?.filter(isVariable) ?? []
      if (!first || !second) continue
      yield {
        path,
        message: `${writeAtom(first)} and ${writeAtom(second)} share a segment, so two callers can form one name: a with b-c, and a-b with c`,
      }
    }
  },
}

/** The one pair that stays apart: `${issuer}` first, followed by a character that no issuer's name has. */
function sharedByTwo(segment: Segment): boolean {
  const variables = segment.filter(isVariable)
  if (variables.length < 2) return false
  if (variables.length > 2 || variables[0]?.kind !== 'issuer') return true
  const next = segment[segment.findIndex(({ kind }) => kind === 'issuer') + 1]
  return next?.kind !== 'text' || /^[a-z0-9-]/u.test(next.text)
}
