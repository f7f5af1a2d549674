import { parseJrn } from './document.ts'
import type { Template } from './template.ts'
import type { Part } from './variables.ts'

// What stands for a part that differs between callers, out of Unicode's private use area.
const ISSUER = '\uE000'
const SEGMENT = '\uE001'
const PATH = '\uE002'

// Issuer names are a-z, 0-9 and -, so any other character ends one. A value right behind it could go on with the name:
// `${issuer}${jwt:sub}` is the same for `app` with `1x` as for `app1` with `x`.
const READABLE_ISSUER = /^[^\uE000-\uE002*]*\uE000(?![a-z0-9\uE000-\uE002*-])/u

/**
 * Whether the callers of two issuers can never share a key of this resource: `${issuer}` can be read back from every key,
 * because it starts a segment and nothing goes on with it, and because nothing before it (`*`, a parameter of kind
 * `path`) spans as many segments as a caller likes.
 */
export function separatesIssuers(parts: readonly Part[], params: Template['params']): boolean {
  const segments = parseJrn(parts.map((part) => shapeOf(part, params)).join(''))?.resource.split('/') ?? []
  const at = segments.findIndex((segment) => segment.includes(ISSUER))
  return (
    READABLE_ISSUER.test(segments[at] ?? '') &&
    segments.slice(0, at).every((segment) => !segment.includes('*') && !segment.includes(PATH))
  )
}

function shapeOf(part: Part, params: Template['params']): string {
  switch (part.kind) {
    case 'literal':
      return part.text.replace(/[\uE000-\uE002]/gu, 'x')
    case 'issuer':
      return ISSUER
    case 'jwt':
      return SEGMENT
    case 'param':
      return params[part.name]?.kind === 'path' ? PATH : SEGMENT
    default:
      return 'x' // the same for every caller
  }
}
