import { isVariable, type ResourceShape, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** A caller's value must not choose the region, the account or the bucket. */
export const variableOutsideKey: Rule = {
  id: 'variable-outside-key',
  severity: 'error',
  remedy: 'write ${bucket}, ${account} and * or ${region} there, and the variable in the key',
  *check({ resources }) {
    for (const { path, shape } of resources) {
      for (const place of shape ? PLACES : []) {
        const variable = shape?.[place].find(isVariable)
        if (variable) {
          yield {
            path,
            message: `${writeAtom(variable)} stands in the ${place}, so ${variable.kind === 'date' ? 'the day chooses' : 'callers choose'} which ${place} they open`,
          }
        }
      }
    }
  },
}

const PLACES = ['service', 'region', 'account', 'bucket'] as const satisfies readonly (keyof ResourceShape)[]
