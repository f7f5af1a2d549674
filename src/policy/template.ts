import { z } from 'zod'
import { nearest } from '../nearest.ts'
import { policySchema } from './document.ts'
import { isOperation, OPERATION_ACTIONS, OSS_ACTIONS } from './operations.ts'
import { backtracks } from './pattern.ts'
import { compileResource, type Part, VariableError } from './variables.ts'

/** What a template's file name may be, without its ending. Short, so that a session name has room for a hash. */
export const TEMPLATE_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u

const oneOrMany = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  z.array(z.string().min(1)).min(1),
])

const allowSchema = z
  .strictObject({
    issuer: oneOrMany.optional(),
    claims: z
      .record(z.string().min(1), oneOrMany)
      .refine((claims) => Object.keys(claims).length > 0, 'names no claim')
      .optional(),
  })
  // `allow: {}` would hold for everybody, and it is what is left when somebody deletes the last condition.
  .refine(
    ({ issuer, claims }) => issuer || claims,
    'must have at least one condition; for all users of an issuer, name it',
  )

const paramSchema = z.strictObject({
  kind: z.enum(['segment', 'path']).default('segment'),
  pattern: z
    .string()
    .min(1)
    .max(256)
    .transform((pattern, context) => {
      try {
        // Alone first: `a)|(b` is an expression, and an unanchored one, only within the group that anchors it.
        new RegExp(pattern, 'u')
        if (backtracks(pattern)) {
          context.addIssue({ code: 'custom', message: 'can take exponential time: do not repeat what repeats' })
          return z.NEVER
        }
        return new RegExp(`^(?:${pattern})$`, 'u')
      } catch {
        context.addIssue({ code: 'custom', message: 'is not a regular expression' })
        return z.NEVER
      }
    })
    .optional(),
  description: z.string().optional(),
})

const operationSchema = z.string().transform((line, context) => {
  const [, operation = '', key] = /^(\S+)(?: (.+))?$/su.exec(line) ?? []
  if (!isOperation(operation)) {
    context.addIssue({ code: 'custom', message: 'does not start with an S3 operation such as PutObject' })
    return z.NEVER
  }
  if ((OSS_ACTIONS[OPERATION_ACTIONS[operation]] === 'object') !== (key !== undefined)) {
    context.addIssue({
      code: 'custom',
      message: key === undefined ? `${operation} needs a key` : `${operation} takes no key`,
    })
    return z.NEVER
  }
  return { line, operation, ...(key !== undefined && { key }) }
})

const exampleSchema = z
  .strictObject({
    caller: z.looseObject({ sub: z.string().min(1), issuer: z.string().optional() }),
    params: z.record(z.string(), z.union([z.string(), z.int()])).default({}),
    can: z.array(operationSchema).default([]),
    cannot: z.array(operationSchema).default([]),
  })
  .refine(({ can, cannot }) => can.length + cannot.length > 0, 'shows nothing: give can, cannot or both')

const templateSchema = z
  .strictObject({
    description: z.string().min(1),
    allow: allowSchema.optional(),
    params: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/u, 'is not a parameter name'), paramSchema)
      .default({}),
    durationSeconds: z.int().min(3600).max(43_200).default(3600),
    policy: policySchema,
    examples: z.array(exampleSchema).default([]),
  })
  .transform(({ policy, ...rest }, context) => ({
    ...rest,
    statements: policy.Statement.map((statement, index) => {
      const at = (...path: (string | number)[]) => ['policy', 'Statement', index, ...path]
      const refuse = (path: (string | number)[], message: string) =>
        context.addIssue({ code: 'custom', path: at(...path), message, input: statement })
      // Neither is effective for OSS: a template that carries one promises what JD Cloud does not keep.
      if (statement.Effect === 'Deny') refuse(['Effect'], 'Deny is not effective for OSS; allow less instead')
      if (statement.Condition) refuse(['Condition'], 'Condition is not effective for OSS; narrow the resource instead')
      for (const action of statement.Action) {
        if (Object.hasOwn(OSS_ACTIONS, action)) continue
        const meant = nearest(action, Object.keys(OSS_ACTIONS))
        const hint = meant ? `did you mean ${meant}?` : `there are ${Object.keys(OSS_ACTIONS).join(', ')}`
        refuse(
          ['Action'],
          action.includes('${') ? 'variables are for Resource only' : `${action} is not an OSS action: ${hint}`,
        )
      }
      const resources = statement.Resource.map((resource) => {
        try {
          const parts = compileResource(resource)
          for (const part of parts) {
            if (part.kind === 'param' && !Object.hasOwn(rest.params, part.name)) {
              refuse(['Resource'], `\${param:${part.name}} is not declared under params`)
            }
          }
          return parts
        } catch (error) {
          if (error instanceof VariableError) refuse(['Resource'], error.message)
          return []
        }
      })
      return { ...(statement.Sid !== undefined && { Sid: statement.Sid }), actions: statement.Action, resources }
    }),
  }))

/** The schema of a template file; what comes out is checked and compiled. */
export { templateSchema }

type Parsed = z.output<typeof templateSchema>

/** A compiled policy template: immutable, and everything about it that can be wrong was found when it was loaded. */
export type Template = Readonly<Omit<Parsed, 'statements'>> &
  Readonly<{ name: string; statements: readonly CompiledStatement[] }>

/** An Allow statement whose resources are split into parts. */
export type CompiledStatement = Readonly<{
  Sid?: string
  actions: readonly string[]
  resources: readonly (readonly Part[])[]
}>

/** One line of an example: `<operation>` or `<operation> <key>`. */
export type ExampleOperation = z.output<typeof operationSchema>
