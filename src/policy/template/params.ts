import { z } from 'zod'
import { dangerOf, patternSchema } from '../claims/pattern.ts'
import { type NamedClaim, parseNamedClaim } from '../claims/transform.ts'
import { policyValue, VALUE_RULE } from '../language/value.ts'

const oneOfSchema = z
  .string()
  .meta({ pattern: '^jwt:.+$' })
  .transform((text, context): NamedClaim => {
    const named = text.startsWith('jwt:') ? parseNamedClaim(text.slice('jwt:'.length)) : { fault: TAKES_A_CLAIM }
    // A changed membership would be another folder than the one that the claim names.
    if (!('fault' in named) && named.transform === undefined) return named
    context.addIssue({ code: 'custom', message: 'fault' in named ? named.fault : TAKES_A_CLAIM })
    return z.NEVER
  })

const TAKES_A_CLAIM = 'takes a claim of the token, without a transform: jwt:<claim>'

/** What callers may choose for one parameter. */
export const paramSchema = z
  .strictObject({
    kind: z.enum(['segment', 'path']).default('segment').describe('path allows a / between segments.'),
    pattern: patternSchema.describe('A regular expression for the whole value.').optional(),
    oneOf: oneOfSchema
      .describe(
        "jwt:<claim>: the value must be one of the caller's own in this claim, such as a list of organisations.",
      )
      .optional(),
    default: z.union([z.string(), z.int()]).describe('The value of callers who give none.').optional(),
    description: z.string().describe('For callers of the API.').optional(),
  })
  .transform(({ default: usual, ...param }, context) => {
    // A member of a/b would open its folder to a member of a.
    if (param.oneOf && param.kind === 'path') refuse(context, 'oneOf', 'does not go with kind: path')
    const text = policyValue(usual, param.kind)
    if (usual !== undefined && text === undefined) refuse(context, 'default', `must be ${VALUE_RULE}`)
    if (text !== undefined && mismatches(text, param.pattern)) refuse(context, 'default', 'does not match the pattern')
    return { ...param, ...(text !== undefined && { default: text }) }
  })

/** A pattern that could run for ever is not run: the linter refuses it. */
const mismatches = (text: string, pattern: RegExp | undefined): boolean =>
  pattern !== undefined && dangerOf(pattern) === undefined && !pattern.test(text)

const refuse = (context: z.RefinementCtx, key: string, message: string) =>
  context.addIssue({ code: 'custom', path: [key], message })

export type Param = Readonly<z.output<typeof paramSchema>>
