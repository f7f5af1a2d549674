import { printable } from '../../policy/template/finding.ts'
import { count, type Paint } from '../io.ts'
import type { ShownCheck } from './checks.ts'
import { cut, oneLine, pretty } from './harmless.ts'
import type { Report } from './report.ts'
import type { TemplateAnswer, TemplateAnswers } from './templates.ts'

/** A report for people. */
export function showReport(report: Report, templates: TemplateAnswers | undefined, paint: Paint): string {
  const { checks, notes, token, caller } = report
  const believed = report.verdict === 'accepted' ? '' : ', if it were accepted'
  return [
    headline(report, paint),
    issuerLine(report),
    '',
    ...checks.flatMap((check) => showCheck(check, paint)),
    ...notes.map((note) => `  ${paint.yellow('!')} ${printable(note)}`),
    ...(token ? ['', paint.bold('Header'), pretty(token.header), '', paint.bold('Claims'), pretty(token.payload)] : []),
    ...(caller
      ? ['', paint.bold(`Caller${believed}`), `  issuer ${caller.issuer}, subject ${oneLine(caller.subject)}`]
      : []),
    ...(templates ? ['', ...showTemplates(templates, believed, paint)] : []),
    '',
  ]
    .filter((line) => line !== undefined)
    .join('\n')
}

function headline({ verdict, reason, means }: Report, paint: Paint): string {
  switch (verdict) {
    case 'accepted':
      return `${paint.green('✓')} The service would accept this token.`
    case 'refused':
      return `${paint.red('✗')} The service would refuse this token: ${paint.bold(String(reason))}, ${means}.`
    case 'unavailable':
      return `${paint.red('✗')} The service could not judge this token: ${paint.bold(String(reason))}, ${means}.`
    case 'undecided':
      return `${paint.yellow('?')} The signature was not checked, so nobody knows whether the service would accept this token.`
  }
}

function issuerLine({ issuer }: Report): string | undefined {
  if (!issuer) return undefined
  if (issuer.matched) return `  Issuer ${issuer.name}`
  const { nearest } = issuer
  if (!nearest) return `  No issuer matches; checked against the only one, ${issuer.name}`
  return `  No issuer matches; the nearest is ${issuer.name} with ${nearest.iss}: ${nearest.difference}`
}

function showCheck(check: ShownCheck, paint: Paint): string[] {
  const { name, passed, wanted, why, remedy, settings = [] } = check
  const found = showFound(check)
  const mark = passed ? paint.green('✓') : passed === false ? paint.red('✗') : paint.yellow('–')
  const title = `  ${mark} ${name.padEnd(10)}`
  if (passed) {
    return [`${title} ${found ?? printable(wanted ?? '')}`.trimEnd()]
  }
  const lines = [`${title} ${printable(why ?? '')}`]
  if (found !== undefined) lines.push(`      found:  ${found}`)
  if (wanted !== undefined) lines.push(`      wanted: ${printable(wanted)}`)
  const where = settings.length > 0 ? ` (${settings.join(', ')})` : ''
  if (remedy !== undefined) lines.push(`      ${paint.green('→')} ${printable(remedy)}${where}`)
  return lines
}

/** A value of the token as JSON, so that the number 1 and the text "1" differ. */
function showFound({ found, note }: ShownCheck): string | undefined {
  if (found === undefined) return note
  return note === undefined ? oneLine(found) : `${oneLine(found)} (${note})`
}

function showTemplates({ directory, answers, errors }: TemplateAnswers, believed: string, paint: Paint): string[] {
  return [
    paint.bold(`Templates in ${printable(directory)}${believed}`),
    ...(errors > 0
      ? [`  ${paint.red('✗')} ${count(errors, 'error')}: the service uses none of them; see oss-vend policies lint`]
      : []),
    ...answers.map((answer) => showAnswer(answer, paint)),
  ]
}

function showAnswer({ name, allowed, why = '', remedy, params = [] }: TemplateAnswer, paint: Paint): string {
  if (allowed) return `  ${paint.green('✓')} ${name}${params.length > 0 ? ` (asks for ${params.join(', ')})` : ''}`
  return `  ${paint.red('✗')} ${name}: ${printable(why)}${remedy === undefined ? '' : ` → ${printable(remedy)}`}`
}

/** A report for machines. */
export function forMachines(report: Report, templates: TemplateAnswers | undefined) {
  const { token, caller, checks, ...more } = report
  return {
    ...more,
    checks: checks.map((check) => ({ ...check, ...(check.found !== undefined && { found: cut(check.found) }) })),
    ...(token && { header: cut(token.header), claims: cut(token.payload) }),
    ...(caller && { caller: { issuer: caller.issuer, subject: cut(caller.subject) } }),
    ...(templates && { templates }),
  }
}
