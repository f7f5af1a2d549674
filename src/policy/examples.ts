import { VendError } from '../errors.ts'
import type { Policy } from './document.ts'
import { policySchema } from './document.ts'
import { allowedByAll } from './evaluate.ts'
import { fillIn, type GrantSettings } from './grant.ts'
import { OPERATION_ACTIONS, operationResource } from './operations.ts'
import type { ExampleOperation, Template } from './template.ts'

/** An example that does not hold: where it stands in the template, and what happened instead. */
export type ExampleFailure = Readonly<{ path: readonly (string | number)[]; message: string }>

/**
 * Runs a template's examples against the policy that each one's caller would get, within the role's policy when it is
 * known. What JD Cloud may or may not honour (`Deny`) is read the way that is worse for the example.
 */
export function failingExamples(
  template: Template,
  settings: GrantSettings,
  defaultIssuer: string,
  rolePolicy?: Policy,
): ExampleFailure[] {
  return template.examples.flatMap((example, index) => {
    const { issuer = template.allow?.issuer?.[0] ?? defaultIssuer, ...claims } = example.caller
    const caller = { issuer, subject: claims.sub, claims }
    let policies: readonly Policy[]
    let refusal = ''
    try {
      const grant = fillIn(template, { caller, params: example.params }, settings)
      policies = [policySchema.parse(JSON.parse(grant.policy)), ...(rolePolicy ? [rolePolicy] : [])]
    } catch (error) {
      if (!(error instanceof VendError)) throw error
      policies = []
      refusal = `: ${error.code}, ${error.detail ?? error.errors?.map((fault) => `${fault.pointer} ${fault.detail}`).join('; ')}`
    }
    const request = ({ operation, key }: ExampleOperation) => ({
      action: OPERATION_ACTIONS[operation],
      resource: operationResource(operation, { ...settings, ...(key !== undefined && { key }) }),
    })
    const failures = (list: 'can' | 'cannot', failed: (operation: ExampleOperation) => boolean, message: string) =>
      example[list].flatMap((operation, line) =>
        failed(operation) ? [{ path: ['examples', index, list, line], message: `${operation.line}: ${message}` }] : [],
      )
    return [
      ...failures(
        'can',
        (op) => !allowedByAll(policies, request(op), 'honoured'),
        `should be allowed and is not${refusal}`,
      ),
      ...failures('cannot', (op) => allowedByAll(policies, request(op), 'ignored'), 'should be refused and is allowed'),
    ]
  })
}
