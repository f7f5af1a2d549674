import { conditionsOn } from '../../claims/allow.ts'
import { patternBounds } from '../../claims/pattern.ts'
import { HASH_CHARACTERS } from '../../claims/transform.ts'
import { MAX_SESSION_POLICY_BYTES } from '../../language/document.ts'
import { MAX_PATH_SEGMENTS, MAX_VALUE_CHARACTERS } from '../../language/value.ts'
import type { CompiledStatement } from '../../template/template.ts'
import type { Part } from '../../template/variables.ts'
import type { LintSubject, Rule } from './rule.ts'

/** Callers whose values make the policy larger than JD Cloud's limit get no credentials at all. */
export const policySize: Rule = {
  id: 'policy-size',
  severity: 'warning',
  remedy: 'merge statements, shorten folders, or limit values: pattern for a param, matches for a claim',
  *check(subject) {
    const { statements } = subject.template
    const longest = (parts: readonly Part[]) => parts.reduce((sum, part) => sum + longestBytes(part, subject), 0)
    const values = statements.flatMap(({ resources }) => resources).reduce((sum, parts) => sum + longest(parts), 0)
    const total = Buffer.byteLength(JSON.stringify({ Version: '3', Statement: statements.map(frame) })) + values
    if (total > MAX_SESSION_POLICY_BYTES) {
      yield {
        path: ['policy'],
        message: `with the longest allowed values it has ${total} bytes, and JD Cloud takes ${MAX_SESSION_POLICY_BYTES}: callers with such values are refused`,
      }
    }
  },
}

/** The statement with empty resources. */
const frame = ({ Sid, effect, actions, resources }: CompiledStatement) => ({
  ...(Sid !== undefined && { Sid }),
  Effect: effect,
  Action: actions,
  Resource: resources.map(() => ''),
})

/** The most bytes that a part takes in the JSON text. JSON escapes nothing in values, whose characters have up to 4 bytes. */
function longestBytes(part: Part, { template, settings }: LintSubject): number {
  switch (part.kind) {
    case 'literal':
      return Buffer.byteLength(JSON.stringify(part.text)) - 2
    case 'account':
    case 'bucket':
    case 'region':
      return Buffer.byteLength(settings[part.kind])
    case 'issuer':
      return Math.max(0, ...settings.issuers.map((name) => Buffer.byteLength(name)))
    case 'jwt':
      if (part.transform === 'hash') return HASH_CHARACTERS
      return Math.min(
        4 * MAX_VALUE_CHARACTERS,
        // Some letters of two bytes have three in lower case.
        ...conditionsOn(template, part.path).map(({ tests }) => boundOf(tests) * (part.transform ? 1.5 : 1)),
      )
    case 'date':
      return part.unit.length
    case 'param': {
      const { kind, pattern } = template.params[part.name] ?? {}
      const characters = kind === 'path' ? MAX_PATH_SEGMENTS * (MAX_VALUE_CHARACTERS + 1) - 1 : MAX_VALUE_CHARACTERS
      const bound = pattern ? patternBounds(pattern) : { characters: Infinity, bytes: Infinity, widest: 4 }
      return Math.min(bound.bytes, Math.min(bound.characters, characters) * bound.widest)
    }
  }
}

/** The most bytes of a claim that meets a condition and is one value: lists and texts with spaces are refused anyway. */
function boundOf({ anyOf, equals, matches }: ReturnType<typeof conditionsOn>[number]['tests']): number {
  const longest = (values: readonly unknown[]) => Math.max(...values.map((value) => Buffer.byteLength(String(value))))
  return Math.min(
    anyOf ? longest(anyOf) : Infinity,
    equals !== undefined ? longest([equals]) : Infinity,
    matches ? patternBounds(matches).bytes : Infinity,
  )
}
