import { parseClaim } from '../claims/claim.ts'

/** A part of a resource: fixed text, or a variable. */
export type Part = Readonly<
  | { kind: 'literal'; text: string }
  | { kind: 'account' | 'bucket' | 'region' | 'issuer' }
  /** `claim` as written; `path` its steps into nested objects. */
  | { kind: 'jwt'; claim: string; path: readonly string[] }
  | { kind: 'param'; name: string }
>

export class VariableError extends Error {
  override readonly name = 'VariableError'
}

/**
 * Splits a resource into parts when the template loads. Filling in then only joins parts, so no value can form a variable
 * together with its neighbours.
 * @throws {VariableError} for an unknown variable or an unclosed one
 */
export function compileResource(text: string): readonly Part[] {
  const parts: Part[] = []
  let end = 0
  for (const match of text.matchAll(/\$\{([^{}]*)\}/gu)) {
    if (match.index > end) parts.push(literal(text.slice(end, match.index)))
    parts.push(parseVariable(match[1] ?? ''))
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push(literal(text.slice(end)))
  return parts
}

function literal(text: string): Part {
  if (text.includes('${')) throw new VariableError('a variable is not closed: write ${name}')
  return { kind: 'literal', text }
}

function parseVariable(name: string): Part {
  switch (name) {
    case 'account':
    case 'bucket':
    case 'region':
    case 'issuer':
      return { kind: name }
  }
  const [, kind, rest = ''] = /^(jwt|param):(.+)$/u.exec(name) ?? []
  const path = kind === 'jwt' ? parseClaim(rest) : undefined
  if (path) return { kind: 'jwt', claim: rest, path }
  if (kind === 'param') return { kind, name: rest }
  throw new VariableError(
    `unknown variable \${${name}}: use account, bucket, region, issuer, jwt:<claim> or param:<name>`,
  )
}
