import { textOf } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/**
 * `users/${jwt:sub}/../bob/*`: clients and gateways may read a key otherwise than as it stands, and then it is somebody
 * else's. `?` is a wildcard to engines other than JD Cloud's.
 */
export const ambiguousKey: Rule = {
  id: 'ambiguous-key',
  severity: 'error',
  remedy: 'write folders as they are stored: letters, digits, spaces and -_.~@+=,|:, with one / between them',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const texts = key.flat().flatMap((atom) => (atom.kind === 'text' ? [atom.text] : []))
      const odd = texts.find((text) => !PLAIN.test(text) || text.normalize('NFC') !== text)
      if (odd !== undefined) {
        const message = `its key has ${JSON.stringify(odd)}, which not everybody who reads it takes for the same`
        const isVariable = /[{}$]/u.test(odd)
        yield {
          path,
          message,
          ...(isVariable && { remedy: 'write a variable as ${jwt:sub}: a $ and one pair of braces' }),
        }
      }
      const step = key.findIndex((segment, index) => {
        const text = textOf(segment)
        return text === '.' || text === '..' || (text === '' && (index < key.length - 1 || key.length === 1))
      })
      if (step >= 0)
        yield {
          path,
          message: 'its key has an empty segment, a . or a .., which some clients resolve before they sign',
        }
    }
  },
}

const PLAIN = /^[\p{L}\p{Nd} \-_.~@+=,|:()!'&;]*$/u
