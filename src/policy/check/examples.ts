import { VendError } from '../../errors.ts'
import { fillIn, type GrantSettings } from '../grant/grant.ts'
import { isTargets, settingsFor, type Targets } from '../grant/target.ts'
import { type Policy, policySchema } from '../language/document.ts'
import { allowedByAll } from '../language/evaluate.ts'
import { OPERATION_ACTIONS, operationResource } from '../language/operations.ts'
import type { ExampleOperation } from '../template/example.ts'
import type { Template } from '../template/template.ts'

/** Settings for examples: those of every grant, and the issuers, of which the first is the default. */
export type ExampleSettings = GrantSettings & Readonly<{ issuers: readonly string[] }>

/** The same for one target, or for each by its name. */
export type AllExampleSettings = ExampleSettings | Targets<ExampleSettings>

/** The short names of all issuers, which have nothing to do with targets. */
export function issuersOf(settings: AllExampleSettings): readonly string[] {
  return isTargets(settings) ? ([...settings.values()][0]?.issuers ?? []) : settings.issuers
}

/** The outcome of one line of an example. */
export type ExampleOutcome = Readonly<{
  held: boolean
  path: readonly (string | number)[]
  expected: 'can' | 'cannot'
  /** As written: `PutObject users/alice/1.jpg`. */
  line: string
  /** What happened instead, for a line that did not hold. */
  message: string
}>

type Example = Template['examples'][number]

/**
 * Runs a template's examples against the policy that each caller would get, within the role's policy if given. `Deny`,
 * which JD Cloud may or may not honour, is read in the way that is worse for the example.
 */
export function runExamples(template: Template, settings: AllExampleSettings, rolePolicy?: Policy): ExampleOutcome[] {
  return template.examples.flatMap((example, index) =>
    runExample(template, example, settings, rolePolicy).map(({ path, ...outcome }) => ({
      ...outcome,
      path: ['examples', index, ...path],
    })),
  )
}

/** Runs any example against a template; paths start in the example. */
export function runExample(
  template: Template,
  example: Example,
  targets: AllExampleSettings,
  rolePolicy?: Policy,
): ExampleOutcome[] {
  let policies: readonly Policy[] = []
  let settings: ExampleSettings | undefined
  let refusal = ''
  const issuers = issuersOf(targets)
  const caller = exampleCaller(template, example, issuers)
  // A template without `allow.issuer` takes the first issuer, which its author may not have in mind.
  const who = issuers.length > 1 ? `the caller, of issuer ${caller.issuer},` : 'the caller'
  try {
    const request = {
      caller,
      params: example.params,
      at: example.at,
    }
    settings = settingsFor(template, request, targets)
    const grant = fillIn(template, request, settings)
    policies = [policySchema.parse(JSON.parse(grant.policy)), ...(rolePolicy ? [rolePolicy] : [])]
    refusal = `: ${who} gets ${grant.actions.join(', ')} on ${grant.prefixes.map((prefix) => `${prefix}…`).join(', ') || 'the bucket'}`
  } catch (error) {
    if (!(error instanceof VendError)) throw error
    refusal = `: ${error.code}, ${refusalWithRemedy(error)}`
  }
  const allowed = ({ operation, key }: ExampleOperation, deny: 'honoured' | 'ignored') => {
    // Refused before it has a target.
    if (!settings) return false
    const resource = operationResource(operation, { ...settings, ...(key !== undefined && { key }) })
    return allowedByAll(policies, { action: OPERATION_ACTIONS[operation], resource }, deny)
  }
  return [
    ...example.can.map(
      (operation, at): ExampleOutcome => ({
        held: allowed(operation, 'honoured'),
        path: ['can', at],
        expected: 'can',
        line: operation.line,
        message: `${operation.line}: should be allowed, but is refused${operation.key?.startsWith('/') ? ': keys start after the bucket, without a /' : refusal}`,
      }),
    ),
    ...example.cannot.map(
      (operation, at): ExampleOutcome => ({
        held: !allowed(operation, 'ignored'),
        path: ['cannot', at],
        expected: 'cannot',
        line: operation.line,
        message: `${operation.line}: should be refused, but is allowed`,
      }),
    ),
  ]
}

/** The caller of an example. The default issuer is the template's first, or the first that is configured. */
export function exampleCaller({ allow }: Template, { caller }: Pick<Example, 'caller'>, issuers: readonly string[]) {
  const { issuer = allow?.issuer?.[0] ?? issuers[0] ?? '', ...claims } = caller
  return { issuer, subject: claims.sub, claims }
}

/** Why a caller is refused, in the words that the caller sees. */
export const refusalOf = ({ code, detail, errors }: VendError): string =>
  detail ?? errors?.map((fault) => `${fault.pointer} ${fault.detail}`).join('; ') ?? code

/** The same for operators, who can change the template: with the remedy, if there is one. */
export const refusalWithRemedy = (error: VendError): string =>
  typeof error.log?.remedy === 'string' ? `${refusalOf(error)} → ${error.log.remedy}` : refusalOf(error)
