import { writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `rooms/${param:room}/*`: callers choose a parameter, so it keeps nobody out. */
export const paramWithoutOwner: Rule = {
  id: 'param-without-owner',
  severity: 'error',
  remedy:
    'put ${jwt:sub}/ before it, or tie it to a claim by oneOf: "jwt:<claim>"; if everybody may open all of them, write * instead',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const atoms = key.flat()
      const param = atoms.find(({ kind }) => kind === 'param')
      if (!param || atoms.some(({ kind }) => kind === 'jwt')) continue
      yield { path, message: `callers choose ${writeAtom(param)} freely, so each of them opens everybody's folder` }
    }
  },
}
