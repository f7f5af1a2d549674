import type { Rule } from './rule.ts'

/** `u*` matches `users/`, and `users/a*` matches the folder of everybody whose name starts with an a. */
export const openPrefix: Rule = {
  id: 'open-prefix',
  severity: 'error',
  remedy: 'end the folder with a /, as in users/*',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const claim = key.findIndex((segment) => segment.some(({ kind }) => kind === 'jwt'))
      const above = claim < 0 ? key : key.slice(0, claim)
      const open = above.find(
        ([first, ...rest]) => first?.kind === 'text' && rest.some(({ kind }) => kind === 'wildcard'),
      )
      // With a variable it is variable-before-wildcard.
      if (!open?.every(({ kind }) => kind === 'text' || kind === 'wildcard')) continue
      const [start] = open
      const name = start?.kind === 'text' ? start.text : ''
      yield {
        path,
        message: `it opens every folder whose name starts with ${JSON.stringify(name)}, including other people's`,
      }
    }
  },
}
