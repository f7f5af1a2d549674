import { isVariable, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `users/${jwt:sub}` is one object, and the author probably meant a folder. */
export const endsInVariable: Rule = {
  id: 'ends-in-variable',
  severity: 'warning',
  remedy: 'end it with /* for a folder, or with a file name',
  *check({ resources }) {
    for (const { path, key } of resources) {
      // With a / at the end it is one object too: the marker of a folder.
      const open = key.length > 1 && key.at(-1)?.length === 0
      const last = key.at(open ? -2 : -1)?.at(-1)
      if (!last || !isVariable(last) || (last.kind === 'param' && last.spans)) continue
      yield {
        path,
        message: `it ends in ${writeAtom(last)}${open ? '/' : ''}: that opens one object of that name, and nothing below it`,
      }
    }
  },
}
