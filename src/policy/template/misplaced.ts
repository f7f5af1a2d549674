type Path = readonly (string | number)[]

/** `${…}`, closed or not, and how other template languages write it. */
const VARIABLE = /\$\{|[{(]\s*(?:jwt|param|date)\s*[:.]|\$(?:jwt|param|date):|\{(?:account|bucket|region|issuer)\}/u

/**
 * The places where a variable is only text, which is everywhere but in `Resource`. A condition with one never holds, and a
 * `cannot` with one always does, whatever the policy says.
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
 * Places that may have variables: prose, the caller and params of an example (an attacker may send `${jwt:sub}`), and
 * elements of a statement that have variables or a rule of their own.
 */
function isFree([top, second, third, fourth]: Path): boolean {
  if (top === 'description' || top === '$schema') return second === undefined
  // The schema says how oneOf names a claim.
  if (top === 'params') return (third === 'description' || third === 'oneOf') && fourth === undefined
  if (top === 'examples') return third === 'caller' || third === 'params'
  return top === 'policy' && second === 'Statement' && fourth !== undefined && fourth !== 'Sid' && fourth !== 'Effect'
}

export const VARIABLE_AS_TEXT = {
  rule: 'variable-as-text',
  severity: 'error',
  message: 'variables are not filled in here: this is compared as plain text',
  remedy: 'write the value itself; variables work in Resource only, as in users/${jwt:sub}/*',
} as const
