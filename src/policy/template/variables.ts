import { type NamedClaim, parseNamedClaim } from '../claims/transform.ts'
import { DATE_PATTERNS, type DateUnit, dateUnits } from './date.ts'

/** A part of a resource: fixed text, or a variable. */
export type Part = Readonly<
  | { kind: 'literal'; text: string }
  | { kind: 'account' | 'bucket' | 'region' | 'issuer' }
  | ({ kind: 'jwt' } & NamedClaim)
  | { kind: 'param'; name: string }
  /** A piece of the day of the request, in UTC. */
  | { kind: 'date'; unit: DateUnit }
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
    parts.push(...parseVariable(match[1] ?? ''))
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push(literal(text.slice(end)))
  return parts
}

function literal(text: string): Part {
  if (text.includes('${')) throw new VariableError('a variable is not closed: write ${name}')
  return { kind: 'literal', text }
}

function parseVariable(name: string): readonly Part[] {
  switch (name) {
    case 'account':
    case 'bucket':
    case 'region':
    case 'issuer':
      return [{ kind: name }]
  }
  const [, kind, rest = ''] = /^(jwt|param|date):(.+)$/u.exec(name) ?? []
  if (kind === 'jwt') {
    const named = parseNamedClaim(rest)
    if ('fault' in named) throw new VariableError(`\${${name}}: ${named.fault}`)
    return [{ kind, ...named }]
  }
  if (kind === 'param') {
    if (rest.includes('|'))
      throw new VariableError(`\${${name}}: a parameter takes no transform; limit it by a pattern`)
    return [{ kind, name: rest }]
  }
  if (kind === 'date') {
    const units = dateUnits(rest)
    if (!units) throw new VariableError(`\${${name}}: the patterns of a date are ${DATE_PATTERNS.join(', ')}`)
    return units.flatMap((unit, index): Part[] => [
      ...(index > 0 ? [{ kind: 'literal' as const, text: '/' }] : []),
      { kind, unit },
    ])
  }
  throw new VariableError(
    `unknown variable \${${name}}: use account, bucket, region, issuer, jwt:<claim>, param:<name> or date:<pattern>`,
  )
}
