import { writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `rooms/${param:room}/*`: a parameter is what callers ask for, and keeps nobody out. */
export const paramWithoutOwner: Rule = {
  id: 'param-without-owner',
  severity: 'error',
  remedy: 'put ${jwt:sub}/ before it; if everybody may have all of it, say so with a * in its place',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const atoms = key.flat()
      const param = atoms.find(({ kind }) => kind === 'param')
      if (!param || atoms.some(({ kind }) => kind === 'jwt')) continue
      yield { path, message: `whoever may use this template chooses ${writeAtom(param)}, and so opens everybody's` }
    }
  },
}
