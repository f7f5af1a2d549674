import { z } from 'zod'
import { VendError } from '../../errors.ts'
import { hasUniqueNames } from '../../lib/unique-names.ts'
import { oneOrMany } from '../language/document.ts'
import { ossAction } from '../language/s3.ts'
import { RESTRICTION, type Restriction } from './restrict.ts'

/** Where in a request the policy is: an RFC 6901 JSON pointer. */
const POLICY = '/Policy'

// Strict: an element that is not read, such as Condition, would have made the session narrower.
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal('Allow'),
  Action: oneOrMany,
  Resource: oneOrMany,
})
const documentSchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z.union([statementSchema, z.tuple([statementSchema]).transform(([one]) => one)]),
})

const ANY_ACTION: readonly string[] = ['*', 's3:*']
const ANY_RESOURCE = /^(?:\*|arn:aws(?:-[a-z]+)*:s3:::\*)$/u
const KEYS_OF_BUCKET = /^arn:aws(?:-[a-z]+)*:s3:::([^/]+)\/(.*)\*$/su

/**
 * The restriction that a session policy in the language of AWS means, if it has a form that means one: one statement that
 * allows actions on the keys of one prefix.
 * @throws {VendError} `invalid_request` for any other: leaving a part of it out could open more than was asked for
 */
export function restrictionOfAws(text: string): Restriction {
  const { Action, Resource } = parse(text).Statement
  const actions = Action.some((one) => ANY_ACTION.includes(one))
    ? undefined
    : Action.map((one) => ossAction(one) ?? refuse('must name actions of S3 that OSS has, such as s3:GetObject'))
  const [resource = '', ...more] = Resource
  if (more.length === 0 && ANY_RESOURCE.test(resource)) return { actions }
  const [, bucket, prefix] = KEYS_OF_BUCKET.exec(resource) ?? []
  if (bucket === undefined || more.length > 0) {
    return refuse('must have one Resource: * or one prefix, such as arn:aws:s3:::bucket/users/alice/*')
  }
  return { actions, prefix, bucket }
}

/** The refusal of a restriction in terms of the policy that it was read from. Any other refusal stays as it is. */
export function inTermsOfPolicy(refusal: VendError): VendError {
  const { code, errors: faults } = refusal
  if (!faults?.some(({ pointer }) => pointer.startsWith(RESTRICTION))) return refusal
  const errors = faults.map(({ pointer, detail }) => ({
    pointer: pointer
      .replace(`${RESTRICTION}/actions`, `${POLICY}/Action`)
      .replace(`${RESTRICTION}/prefix`, `${POLICY}/Resource`)
      .replace(RESTRICTION, POLICY),
    detail,
  }))
  return new VendError(code, { errors, cause: refusal })
}

function parse(text: string): z.infer<typeof documentSchema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('is not JSON')
  }
  if (!hasUniqueNames(text, value)) return refuse('has an object with two members of one name')
  const { data } = documentSchema.safeParse(value)
  return (
    data ??
    refuse('must have Version 2012-10-17 and one Statement with Effect Allow, Action and Resource, and nothing else')
  )
}

// It never quotes what was sent, which could be a secret in a wrong place.
function refuse(detail: string): never {
  throw new VendError('invalid_request', { errors: [{ pointer: POLICY, detail }] })
}
