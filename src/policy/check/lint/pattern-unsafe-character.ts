import { acceptedCharacters } from '../../claims/pattern.ts'
import { policyValue } from '../../language/value.ts'
import type { Rule } from './rule.ts'

/** The pattern accepts `*`: callers read that a value is fine, and then it is refused. */
export const patternUnsafeCharacter: Rule = {
  id: 'pattern-unsafe-character',
  severity: 'warning',
  remedy: 'list what it accepts, such as [A-Za-z0-9-]{1,40}',
  *check({ template: { params } }) {
    for (const [name, { pattern, kind }] of Object.entries(params)) {
      const unsafe = UNSAFE.filter((character) => kind !== 'path' || character !== '/')
      const [first, ...more] = pattern ? acceptedCharacters(pattern, unsafe) : []
      if (first === undefined) continue
      const others = more.length > 0 ? ` and ${more.length} other character${more.length > 1 ? 's' : ''}` : ''
      yield {
        path: ['params', name, 'pattern'],
        message: `it accepts ${JSON.stringify(first)}${others} that must never enter a policy: such values are refused`,
      }
    }
  },
}

/** The worst first, since the message names the first one found. */
const UNSAFE = ['*', '/', ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))].filter(
  (character, index, all) => policyValue(`x${character}x`) === undefined && all.indexOf(character) === index,
)
