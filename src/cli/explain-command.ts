import { ONLY_TARGET } from '../config/targets.ts'
import type { CatalogueSettings } from '../policy/check/catalogue.ts'
import { issuersOf, refusalWithRemedy } from '../policy/check/examples.ts'
import { type Explanation, explain, type Question } from '../policy/check/explain.ts'
import { type Check, checkConditions } from '../policy/claims/allow.ts'
import { printable } from '../policy/template/finding.ts'
import type { Template } from '../policy/template/template.ts'
import { type CallerOptions, grantRequest } from './caller.ts'
import { createPaint, type Io, type Paint, writeJson } from './io.ts'
import { showCaller } from './show.ts'

/**
 * `policies explain <name>`: what a caller would get, or why not. Operators may see the values that conditions need;
 * callers may not. 1 if the caller or the operation is refused.
 */
export function explainCommand(
  io: Io,
  template: Template,
  options: CallerOptions & Readonly<{ question?: Question }>,
  settings: CatalogueSettings,
  json: boolean,
): 0 | 1 {
  const request = grantRequest(options, issuersOf(settings), template)
  const explanation = explain(template, request, settings, options.question)
  const conditions = checkConditions(template, request.caller, Date.now())
  const good = explanation.granted && explanation.answer?.allowed !== false
  if (json) writeJson(io, { policy: template.name, conditions, ...forMachines(explanation) })
  else {
    const paint = createPaint(io.terminal.out)
    io.out(
      [
        `${paint.bold(template.name)} for ${showCaller(request.caller, request.params ?? {})}`,
        '',
        ...conditions.always.map((check) => showCheck(check, paint)),
        ...conditions.alternatives.flatMap((checks, index) => [
          `  ${index === 0 ? 'one of:' : 'or:'}`,
          ...checks.map((check) => `  ${showCheck(check, paint)}`),
        ]),
        '',
        ...showExplanation(explanation, paint),
        '',
      ].join('\n'),
    )
  }
  return good ? 0 : 1
}

function showCheck({ held, needs, had }: Check, paint: Paint): string {
  const has = had === undefined ? 'it is missing' : `it is ${JSON.stringify(had)}`
  return `  ${held ? paint.green('✓') : paint.red('✗')} ${printable(needs)}${held ? '' : `: ${printable(has)}`}`
}

function showExplanation(explanation: Explanation, paint: Paint): string[] {
  if (!explanation.granted) {
    const { refusal } = explanation
    return [`${paint.red('✗')} refused with ${refusal.status} ${refusal.code}: ${refusalWithRemedy(refusal)}`]
  }
  const { grant, answer } = explanation
  const granted = [
    `${paint.green('✓')} granted for ${grant.durationSeconds} seconds as ${grant.roleSessionName}${grant.target === ONLY_TARGET ? '' : ` at target ${grant.target}`}`,
    JSON.stringify(JSON.parse(grant.policy), null, 2),
  ]
  if (!answer) return granted
  const { operation, action, resource, allowed, statement, sid } = answer
  const by =
    statement === undefined
      ? 'no statement allows it'
      : `by Statement.${statement}${sid === undefined ? '' : ` (${printable(sid)})`}`
  return [
    ...granted,
    '',
    `${allowed ? paint.green('✓') : paint.red('✗')} ${operation} is ${allowed ? 'allowed' : 'refused'}, ${by}: ${action} on ${resource}`,
  ]
}

function forMachines(explanation: Explanation) {
  if (!explanation.granted) {
    const { code, status, detail, errors } = explanation.refusal
    return { granted: false, refusal: { code, status, detail, errors } }
  }
  const { grant, answer } = explanation
  return { granted: true, grant: { ...grant, policy: JSON.parse(grant.policy) }, answer }
}
