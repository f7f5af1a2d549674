import { VendError } from '../../errors.ts'
import { fillIn, type Grant, type GrantRequest, type GrantSettings } from '../grant/grant.ts'
import { policySchema } from '../language/document.ts'
import { evaluate } from '../language/evaluate.ts'
import { OPERATION_ACTIONS, type Operation, OSS_ACTIONS, operationResource } from '../language/operations.ts'
import type { Template } from '../template/template.ts'

/** One S3 operation that somebody wants to know about; `key` for those on objects. */
export type Question = Readonly<{ operation: Operation; key?: string | undefined }>

/** Whether a session would allow an operation, and by which statement, counted from 0 as in the template. */
export type Answer = Readonly<{
  operation: Operation
  /** The OSS action that is checked, and the JRN that it is checked on. */
  action: string
  resource: string
  allowed: boolean
  statement?: number
  sid?: string
}>

/** What a caller would get, or why not; the answer to the question, if one was asked. */
export type Explanation =
  | Readonly<{ granted: true; grant: Grant; answer?: Answer }>
  | Readonly<{ granted: false; refusal: VendError }>

/**
 * Goes through a vend up to where STS would be asked. What the role's own policy takes away from the session is not
 * known here.
 * @throws {VendError} `invalid_request` for a question that has a key too much or too little
 */
export function explain(
  template: Template,
  request: GrantRequest,
  settings: GrantSettings,
  question?: Question,
): Explanation {
  if (question) checkQuestion(question)
  try {
    const grant = fillIn(template, request, settings)
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
