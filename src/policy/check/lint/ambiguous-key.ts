import { textOf } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** `users/${jwt:sub}/../bob/*`: some clients and gateways resolve `..`, and some engines read `?` as a wildcard. */
export const ambiguousKey: Rule = {
  id: 'ambiguous-key',
  severity: 'error',
  remedy: 'use letters, digits, spaces and -_.~@+=,|:, with one / between segments',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const texts = key.flat().flatMap((atom) => (atom.kind === 'text' ? [atom.text] : []))
      const odd = texts.find((text) => !PLAIN.test(text) || text.normalize('NFC') !== text)
      if (odd !== undefined) {
        const message = `the key contains ${JSON.stringify(odd)}, which some clients read differently`
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
          message: 'the key has an empty segment, . or .., which some clients resolve before they sign',
        }
    }
  },
}

const PLAIN = /^[\p{L}\p{Nd} \-_.~@+=,|:()!'&;]*$/u
