import type { Denial } from '../../config/deny-file.ts'
import type { DenySource } from '../../denylist/denylist.ts'
import { printable } from '../../policy/template/finding.ts'

/** An entry with where it is from, and since when it is there. */
export type Listed = Readonly<{
  denial: Denial
  source: DenySource
  at?: number
  /** No issuer that is configured has this name: it may have been renamed since. */
  unknownIssuer?: boolean
}>

/** Texts of others, in quotes and in one line, whatever they hold. Whole: it must be possible to copy them. */
const quoted = (text: string) => printable(JSON.stringify(text))
const time = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`

/** Whom an entry is about: `subject "alice" of issuer app`. */
export function whom({ by, issuer, name }: Pick<Denial, 'by' | 'issuer' | 'name'>): string {
  if (by === 'issuer') return `every caller of issuer ${printable(issuer)}`
  return `${by === 'subject' ? 'subject' : 'token id'} ${quoted(name)} of issuer ${printable(issuer)}`
}

export const untilWhen = ({ until }: Pick<Denial, 'until'>) => (until === undefined ? '' : ` until ${time(until)}`)

/** An entry in one line. */
export function showEntry({ denial, source, at, unknownIssuer }: Listed): string {
  const since = at === undefined ? '' : `, since ${time(at)}`
  const reason = denial.reason === undefined ? '' : `: ${quoted(denial.reason)}`
  const idle = unknownIssuer ? ' (no issuer has this name: refuses nobody)' : ''
  return `${source === 'file' ? 'file ' : 'redis'}  ${whom(denial)}${idle}${untilWhen(denial)}${since}${reason}`
}

/** The same for programs. */
export function forMachines({ denial: { by, issuer, name, reason, until }, source, at, unknownIssuer }: Listed) {
  return {
    source,
    by,
    issuer,
    ...(unknownIssuer && { unknownIssuer }),
    ...(by === 'subject' && { subject: name }),
    ...(by === 'token' && { tokenId: name }),
    ...(reason !== undefined && { reason }),
    ...(at !== undefined && { since: time(at) }),
    ...(until !== undefined && { until: time(until) }),
  }
}

/** The entry as it stands in the file of DENY_FILE. JSON's texts are YAML's as well. */
export function forFile({ by, issuer, name, reason }: Denial): string {
  const field = by === 'subject' ? 'subject' : 'tokenId'
  const lines = [
    ...(by === 'issuer' ? [] : [`${field}: ${quoted(name)}`]),
    `issuer: ${issuer}`,
    ...(reason === undefined ? [] : [`reason: ${quoted(reason)}`]),
  ]
  return [
    `${by === 'token' ? 'tokenIds' : `${by}s`}:`,
    ...lines.map((line, i) => `${i === 0 ? '  - ' : '    '}${line}`),
  ].join('\n')
}
