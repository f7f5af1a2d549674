import { isVariable, type ResourceShape, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** A value that callers bring must not choose the region, the account or the bucket. */
export const variableOutsideKey: Rule = {
  id: 'variable-outside-key',
  severity: 'error',
  remedy: 'write ${bucket}, ${account} and * or ${region} there, and use the variable in the key',
  *check({ resources }) {
    for (const { path, shape } of resources) {
      for (const place of shape ? PLACES : []) {
        const variable = shape?.[place].find(isVariable)
        if (variable) {
          yield {
            path,
            message: `${writeAtom(variable)} stands in the ${place}, so what callers bring decides which ${place} is opened`,
          }
        }
      }
    }
  },
}

const PLACES = ['service', 'region', 'account', 'bucket'] as const satisfies readonly (keyof ResourceShape)[]
