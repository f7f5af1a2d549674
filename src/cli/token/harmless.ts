import { withoutTokens } from '../../lib/without-tokens.ts'
import { printable } from '../../policy/template/finding.ts'

const MOST = { characters: 200, items: 20, members: 60, depth: 6 } as const

/** A text of a token, short and without tokens. */
function shortText(text: string): string {
  const safe = withoutTokens(text)
  return safe.length <= MOST.characters
    ? safe
    : `${safe.slice(0, MOST.characters).toWellFormed()}… (${text.length} characters)`
}

/** A value of a token for people and for JSON: long parts are cut, and tokens in it are left out. */
export function cut(value: unknown, depth: number = MOST.depth): unknown {
  if (typeof value === 'string') return shortText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '…'
  if (Array.isArray(value)) {
    const more = value.length - MOST.items
    const items = value.slice(0, MOST.items).map((item) => cut(item, depth - 1))
    return more > 0 ? [...items, `… ${more} more`] : items
  }
  const members = Object.entries(value)
  const more = members.length - MOST.members
  const kept = members.slice(0, MOST.members).map(([name, one]) => [shortText(name), cut(one, depth - 1)])
  return Object.fromEntries(more > 0 ? [...kept, ['…', `${more} more`]] : kept)
}

/** A value in one line for a terminal. */
export const oneLine = (value: unknown): string =>
  printable(value === undefined ? 'missing' : JSON.stringify(cut(value)))

/** An object in several lines for a terminal. */
export const pretty = (value: unknown): string =>
  JSON.stringify(cut(value), null, 2)
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n')
