import type { Rule } from './rule.ts'

/** The resource probably forgot the parameter, and opens too much. */
export const unusedParam: Rule = {
  id: 'unused-param',
  severity: 'warning',
  remedy: 'use it in a resource, or remove it',
  *check({ template: { params, statements, target } }) {
    const used = statements.flatMap(({ resources }) => resources.flat()).filter((part) => part.kind === 'param')
    for (const [name, { default: usual }] of Object.entries(params)) {
      const choosesTarget = target?.kind === 'param' && target.name === name
      if (!choosesTarget && !used.some((part) => part.name === name)) {
        yield {
          path: ['params', name],
          message: `callers ${usual === undefined ? 'must' : 'can'} give ${name}, but no resource uses it`,
        }
      }
    }
  },
}
