type Path = readonly (string | number)[]

/** `${…}`, closed or not, and what somebody who knows another template language writes for it. */
const VARIABLE = /\$\{|[{(]\s*(?:jwt|param)\s*[:.]|\$(?:jwt|param):|\{(?:account|bucket|region|issuer)\}/u

/**
 * The places of a template file where a variable stands and is only text: everywhere but in `Resource`. A condition with
 * one never holds, and a `cannot` with one is never allowed, whatever the policy says.
 */
export function misplacedVariables(value: unknown, path: Path = []): Path[] {
  if (isFree(path)) return []
  if (typeof value === 'string') return VARIABLE.test(value) ? [path] : []
  if (Array.isArray(value)) return value.flatMap((item, index) => misplacedVariables(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(VARIABLE.test(key) ? [[...path, key]] : []),
    ...misplacedVariables(inner, [...path, key]),
  ])
}

/**
 * Prose, what an example's caller brings (an attacker may well send `${jwt:sub}`), and elements of a statement that have
 * variables or a rule of their own.
 */
function isFree([top, second, third, fourth]: Path): boolean {
  if (top === 'description' || top === '$schema') return second === undefined
  if (top === 'params') return third === 'description' && fourth === undefined
  if (top === 'examples') return third === 'caller' || third === 'params'
  return top === 'policy' && second === 'Statement' && fourth !== undefined && fourth !== 'Sid' && fourth !== 'Effect'
}

/** The finding about such a place, by the linter and where a template cannot be compiled. */
export const VARIABLE_AS_TEXT = {
  rule: 'variable-as-text',
  severity: 'error',
  message: 'a variable stands here, where it is never filled in: it is compared as plain text',
  remedy: 'write the value itself; variables are for Resource, as in users/${jwt:sub}/*',
} as const
