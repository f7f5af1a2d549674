import { anchorOf, type Finding, placeOf, printable } from '../policy/template/finding.ts'
import type { Paint } from './io.ts'

/** A finding for people: place, message, the line with a mark under it, remedy, and where to read more. */
export function showFinding(finding: Finding, paint: Paint): string {
  const { severity, rule, message, line, column, excerpt, remedy, reason } = finding
  const colour = severity === 'error' ? paint.red : paint.yellow
  const number = String(line ?? '')
  const gutter = ' '.repeat(number.length)
  return [
    `${paint.bold(printable(placeOf(finding)))}  ${colour(severity)}  ${rule}`,
    `  ${printable(message)}`,
    ...(excerpt === undefined || column === undefined
      ? []
      : [
          `  ${paint.dim(`${number} |`)} ${excerpt.replace(/\p{Cc}/gu, '\u00b7')}`,
          ...(column <= excerpt.length
            ? [`  ${paint.dim(`${gutter} |`)} ${' '.repeat(column - 1)}${colour('^')}`]
            : []),
        ]),
    ...(remedy === undefined ? [] : [`  ${paint.green('→')} ${printable(remedy)}`]),
    ...(reason === undefined ? [] : [`  ${paint.green('✓')} accepted: ${printable(reason)}`]),
    `  ${paint.dim(anchorOf(finding))}`,
    '',
  ].join('\n')
}

/** Claims and parameters in one line: `sub=alice scope=oss.upload`, `without plan`. */
export const showValues = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([name, value]) => printable(value === undefined ? `without ${name}` : `${name}=${showValue(value)}`))
    .join(' ')

/** Quotes a text only if it looks like a number, a boolean or a list. */
const showValue = (value: unknown): string =>
  typeof value === 'string' && !/^(?:[[{"]|-?\d+(?:\.\d+)?$|true$|false$|null$)/u.test(value)
    ? value
    : JSON.stringify(value)

/** A caller and the parameters in one line. */
export function showCaller(
  { issuer, claims }: Readonly<{ issuer: string; claims: Readonly<Record<string, unknown>> }>,
  params: Readonly<Record<string, unknown>>,
): string {
  const given = Object.keys(params).length > 0 ? ` asking for ${showValues(params)}` : ''
  return `${showValues(claims)} of issuer ${issuer}${given}`
}
