import { VendError } from '../../errors.ts'
import { fillIn, type Grant, type GrantRequest, type GrantSettings } from '../grant/grant.ts'
import { type Restriction, restrict } from '../grant/restrict.ts'
import { settingsFor, type Targets } from '../grant/target.ts'
import { policySchema } from '../language/document.ts'
import { evaluate } from '../language/evaluate.ts'
import { OPERATION_ACTIONS, type Operation, OSS_ACTIONS, operationResource } from '../language/operations.ts'
import type { Template } from '../template/template.ts'

/** A question about one S3 operation; `key` for object operations. */
export type Question = Readonly<{ operation: Operation; key?: string | undefined }>

/** Whether a session would allow an operation, and which statement decides, counted from 0. */
export type Answer = Readonly<{
  operation: Operation
  /** The OSS action that OSS checks, and the JRN. */
  action: string
  resource: string
  allowed: boolean
  statement?: number
  sid?: string
}>

/** What a caller would get, or why not, and the answer to the question. */
export type Explanation =
  | Readonly<{ granted: true; grant: Grant; answer?: Answer }>
  | Readonly<{ granted: false; refusal: VendError }>

/**
 * Does everything that a vend does except calling STS. It cannot know what the role's own policy takes away.
 * @throws {VendError} `invalid_request` for a question whose key is missing or superfluous
 */
export function explain(
  template: Template,
  { restrictTo, ...request }: GrantRequest & Readonly<{ restrictTo?: Restriction | undefined }>,
  targets: GrantSettings | Targets<GrantSettings>,
  question?: Question,
): Explanation {
  if (question) checkQuestion(question)
  try {
    const settings = settingsFor(template, request, targets)
    const grant = restrict(fillIn(template, request, settings), restrictTo, settings)
    return { granted: true, grant, ...(question && { answer: answerFor(grant, settings, question) }) }
  } catch (error) {
    if (!(error instanceof VendError)) throw error
    return { granted: false, refusal: error }
  }
}

function checkQuestion({ operation, key }: Question): void {
  const needsKey = OSS_ACTIONS[OPERATION_ACTIONS[operation]] === 'object'
  if (needsKey === (key !== undefined)) return
  const detail = needsKey ? `is required for ${operation}` : `${operation} is not about a key`
  throw new VendError('invalid_request', { errors: [{ pointer: '/key', detail }] })
}

function answerFor({ policy }: Grant, settings: GrantSettings, { operation, key }: Question): Answer {
  const action = OPERATION_ACTIONS[operation]
  const resource = operationResource(operation, { ...settings, ...(key !== undefined && { key }) })
  const parsed = policySchema.parse(JSON.parse(policy))
  const { allowed, statement } = evaluate(parsed, { action, resource })
  const sid = statement === undefined ? undefined : parsed.Statement[statement]?.Sid
  return {
    operation,
    action,
    resource,
    allowed,
    ...(statement !== undefined && { statement }),
    ...(sid !== undefined && { sid }),
  }
}
