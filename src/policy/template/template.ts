import { z } from 'zod'
import { allowSchema, type NeededClaim } from '../claims/allow.ts'
import { sameClaim } from '../claims/claim.ts'
import { oneOrMany } from '../language/document.ts'
import { OSS_ACTIONS } from '../language/operations.ts'
import { acceptSchema } from './accept.ts'
import { exampleSchema } from './example.ts'
import { type Param, paramSchema } from './params.ts'
import { sharedBySchema } from './shared-by.ts'
import { targetSchema } from './target.ts'
import { compileResource, type Part, VariableError } from './variables.ts'

/** A template's file name without its ending. Short, so that a session name has room for a hash. */
export const TEMPLATE_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u

/** Elements that a template must not have. The schema reads them, so that the linter can say why. */
export const FORBIDDEN_ELEMENTS = ['Principal', 'NotPrincipal', 'NotAction', 'NotResource'] as const

// `not: {}` in the JSON Schema makes editors mark what the linter refuses.
const refused = z.unknown().meta({ not: {} }).optional()

// Editors offer the known actions; the linter reports unknown ones, in better words than a schema.
const action = z
  .string()
  .min(1)
  .meta({ enum: Object.keys(OSS_ACTIONS) })
/** More never fits into the 2048 bytes of a session policy, and rules that compare pairs would run for ever. */
const MOST = { statements: 32, actions: 16, resources: 64, params: 32, examples: 200 }
const actions = z.union([action.transform((one) => [one]), z.array(action).min(1).max(MOST.actions)])
const resources = oneOrMany.refine(
  (all) => all.length <= MOST.resources,
  `more than ${MOST.resources} never fit into a policy`,
)

const statementSchema = z
  .strictObject({
    Sid: z.string().describe('A name for the statement, shown in explanations.').optional(),
    Effect: z.enum(['Allow', 'Deny']).meta({ enum: ['Allow'] }),
    Action: actions.describe('OSS actions such as oss:PutObject.').optional(),
    Resource: resources.describe('JRNs with variables: jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/*').optional(),
    Condition: refused,
    Principal: refused,
    NotPrincipal: refused,
    NotAction: refused,
    NotResource: refused,
  })
  .superRefine((statement, context) => {
    for (const element of ['Action', 'Resource'] as const) {
      if (!statement[element] && statement[`Not${element}`] === undefined) {
        context.addIssue({ code: 'custom', path: [element], message: 'is required' })
      }
    }
  })
  .meta({ required: ['Effect', 'Action', 'Resource'] })

const policySchema = z.strictObject({
  Version: z.union([z.literal('3'), z.literal(3)], 'must be "3"'),
  Statement: z.array(statementSchema).min(1).max(MOST.statements),
})

/** The schema of a template file. Its output is compiled, but not linted. */
export const templateSchema = z
  .strictObject({
    $schema: z.string().describe('Where the JSON Schema of templates is, for editors.').optional(),
    description: z.string().min(1).describe('What the policy is for, in one sentence.'),
    allow: allowSchema.describe('Who may have it. Without it, nobody may.').optional(),
    target: targetSchema
      .describe('Where sessions are for: a target of TARGETS_FILE, or a closed choice by a claim or parameter.')
      .optional(),
    sharedBy: sharedBySchema
      .describe('Claims that several people have in common on purpose: they share a folder.')
      .default([]),
    accept: acceptSchema.describe('Intended dangers: the rule that finds each, with a reason.').default({}),
    params: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/u, 'is not a parameter name'), paramSchema)
      .refine((all) => Object.keys(all).length <= MOST.params, `more than ${MOST.params} are too many`)
      .describe('What callers choose, by name.')
      .default({}),
    durationSeconds: z
      .int()
      .positive()
      .describe('Length of a session in seconds, and the longest that a caller may ask for.')
      .meta({ minimum: 900, maximum: 43_200 })
      .default(3600),
    policy: policySchema.describe('The session policy, in JD Cloud IAM version 3, with variables in Resource.'),
    examples: z
      .array(exampleSchema)
      .max(MOST.examples)
      .describe('What callers can and cannot do. Examples run at start, at reload and by `oss-vend policies test`.')
      .default([]),
  })
  .transform(({ $schema, policy, ...rest }, context) => {
    const statements = policy.Statement.map((statement, index): CompiledStatement => {
      const resources = (statement.Resource ?? []).map((resource, at) => {
        const refuse = (message: string) =>
          context.addIssue({ code: 'custom', path: ['policy', 'Statement', index, 'Resource', at], message })
        try {
          const parts = compileResource(resource)
          for (const part of parts) {
            if (part.kind === 'param' && !Object.hasOwn(rest.params, part.name)) {
              refuse(`\${param:${part.name}} is not declared under params`)
            }
          }
          return parts
        } catch (error) {
          if (!(error instanceof VariableError)) throw error
          refuse(error.message)
          return []
        }
      })
      return {
        ...(statement.Sid !== undefined && { Sid: statement.Sid }),
        effect: statement.Effect,
        actions: statement.Action ?? [],
        resources,
        conditional: statement.Condition !== undefined,
        forbidden: FORBIDDEN_ELEMENTS.filter((element) => statement[element] !== undefined),
      }
    })
    // Without a day of its own, an example that holds today would stop the service tomorrow.
    if (statements.some(({ resources }) => resources.flat().some(({ kind }) => kind === 'date'))) {
      for (const [index, { at }] of rest.examples.entries()) {
        if (at !== undefined) continue
        context.addIssue({ code: 'custom', path: ['examples', index], message: NEEDS_A_DAY })
      }
    }
    const { target } = rest
    if (target?.kind === 'param' && !Object.hasOwn(rest.params, target.name)) {
      const message = `param:${target.name} is not declared under params`
      context.addIssue({ code: 'custom', path: ['target', 'from'], message })
    }
    const actions = [...new Set(statements.flatMap((statement) => statement.actions))]
    return { ...rest, statements, actions, neededClaims: claimsIn(statements, rest.params) }
  })

const NEEDS_A_DAY = 'needs at, the day of its request, because a resource has a date: at: "2026-03-01"'

/** The claims that resources are named after, or that parameters choose from, each once. */
function claimsIn(
  statements: readonly CompiledStatement[],
  params: Readonly<Record<string, Param>>,
): readonly NeededClaim[] {
  const parts = statements.flatMap(({ resources }) => resources.flat())
  const needed = [
    ...parts.flatMap((part) => (part.kind === 'jwt' ? [{ claim: part.claim, path: part.path, choice: false }] : [])),
    ...Object.values(params).flatMap(({ oneOf }) => (oneOf ? [{ ...oneOf, choice: true }] : [])),
  ]
  const same = (a: NeededClaim, b: NeededClaim) => a.choice === b.choice && sameClaim(a.path, b.path)
  return needed.filter((one, index) => needed.findIndex((other) => same(one, other)) === index)
}

/** The JSON Schema of a template file, for editors. It cannot say what only the linter finds. */
export function templateJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(templateSchema, { io: 'input', unrepresentable: 'any' })
  return { $schema, title: 'oss-vend policy template', ...schema }
}

type Parsed = z.output<typeof templateSchema>

/** A compiled template, immutable. Without a linter error, it is safe to fill in for any caller. */
export type Template = Readonly<Omit<Parsed, 'statements'>> &
  Readonly<{
    name: string
    statements: readonly CompiledStatement[]
    /** The places of variables that are only text. */
    misplaced: readonly (readonly (string | number)[])[]
  }>

/** A statement of the policy, with its resources split into parts. */
export type CompiledStatement = Readonly<{
  Sid?: string
  effect: 'Allow' | 'Deny'
  actions: readonly string[]
  resources: readonly (readonly Part[])[]
  /** It has a `Condition`, which OSS ignores. */
  conditional: boolean
  /** Its elements that a session policy must not have. */
  forbidden: readonly string[]
}>
