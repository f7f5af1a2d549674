import { z } from 'zod'
import { claimAt, parseClaim, quoteClaim } from './claim.ts'
import { patternSchema } from './pattern.ts'
import { NOT_A_CLAIM } from './transform.ts'

/** A longer text never meets a pattern: even a harmless one is slow on a whole token. */
const MAX_MATCHED_CHARACTERS = 256

// Larger numbers are not exact: 9007199254740993 equals …992.
const number = z
  .number()
  .refine((value) => Math.abs(value) <= Number.MAX_SAFE_INTEGER, 'is too large to be exact: write it as text')
const scalar = z.union([z.string().min(1), number, z.boolean()])
const scalars = z.union([scalar.transform((one) => [one]), z.array(scalar).min(1)])
const bound = z
  .union([number, z.literal('now')])
  .describe('A number, or now: the time of the request in seconds since 1970, like exp.')

/** Tests of one claim. All of them must hold; a claim of the wrong type fails. */
const testsSchema = z
  .strictObject({
    anyOf: scalars.describe('The claim, one of its words, or an item of its list is one of these.'),
    allOf: scalars.describe('Each of these is the claim, one of its words, or an item of its list.'),
    equals: scalar.describe('The whole claim, type included: "true" is not true.'),
    includes: scalar.describe('The claim is a list with this item. A text is not a list, whatever words it contains.'),
    prefix: z
      .string()
      .min(1)
      .describe('The claim, or an item of its list, is this path or below it: /org/eng, not /org/engineering.'),
    present: z.literal(true).describe('The claim is there, and not null, an empty text or an empty list.'),
    atLeast: bound,
    atMost: bound,
    matches: patternSchema.describe('The claim is a text that matches completely. The last resort: prefer the others.'),
  })
  .partial()
  .refine((tests) => Object.keys(tests).length > 0, 'has no test')

const conditionSchema = z.union([scalars.transform((anyOf) => ({ anyOf })), testsSchema])

/** Conditions by claim. A scalar or a list is short for `anyOf`. */
export const claimsSchema = z
  .record(z.string().min(1), conditionSchema)
  .refine((claims) => Object.keys(claims).length > 0, 'names no claim')
  .transform((claims, context) =>
    Object.entries(claims).map(([claim, tests]): ClaimCondition => {
      const path = parseClaim(claim)
      if (!path) context.addIssue({ code: 'custom', path: [claim], message: NOT_A_CLAIM })
      return { claim, path: path ?? [], tests, checks: checksOf(tests) }
    }),
  )

export type ClaimTests = z.output<typeof conditionSchema> & z.output<typeof testsSchema>

/** A condition on a claim: its name as written and as steps, its tests, and these compiled. */
export type ClaimCondition = Readonly<{
  claim: string
  path: readonly string[]
  tests: ClaimTests
  checks: readonly ClaimCheck[]
}>

/** One compiled test. `told` says to the caller what the claim is, `needs` to the operator what it must be. */
type ClaimCheck = Readonly<{
  held: (value: unknown, at: number) => boolean
  told: (value: unknown) => string
  needs: string
}>

/** The result of one test. `told` is for the caller and names no accepted value, `needs` is for the operator. */
export type TestResult = Readonly<{ held: boolean; told: string; needs: string }>

type Scalar = z.output<typeof scalar>

/** The first test that fails, in words for the caller; undefined when all hold. */
export function failureOf(
  { claim, path, checks }: ClaimCondition,
  claims: Readonly<Record<string, unknown>>,
  at: number,
): string | undefined {
  const value = claimAt(claims, path)
  if (isMissing(value)) return `claim ${quoteClaim(claim)} is missing`
  for (const { held, told } of checks) if (!held(value, at)) return `claim ${quoteClaim(claim)} ${told(value)}`
  return undefined
}

/** Every test of a condition, whether it holds or not. */
export function testClaim(
  { claim, path, checks }: ClaimCondition,
  claims: Readonly<Record<string, unknown>>,
  at: number,
): TestResult[] {
  const value = claimAt(claims, path)
  const missing = isMissing(value)
  return checks.map(({ held, told, needs }) => ({
    held: !missing && held(value, at),
    told: `claim ${quoteClaim(claim)} ${missing ? 'is missing' : told(value)}`,
    needs: `${claim} ${needs}`,
  }))
}

const isMissing = (value: unknown): value is null | undefined => value === undefined || value === null

function checksOf({
  anyOf,
  allOf,
  equals,
  includes,
  prefix,
  present,
  atLeast,
  atMost,
  matches,
}: ClaimTests): ClaimCheck[] {
  const checks: ClaimCheck[] = []
  const add = (held: ClaimCheck['held'], told: string | ClaimCheck['told'], needs: string) =>
    checks.push({ held, told: typeof told === 'string' ? () => told : told, needs })
  const seconds = (bound: number | 'now', at: number) => (bound === 'now' ? at / 1000 : bound)
  const beyond = (words: string) => (value: unknown) => (isNumber(value) ? words : 'is not a number')

  if (anyOf) {
    add(
      (value) => anyOf.some((wanted) => holds(value, wanted)),
      'does not hold a required value',
      `holds any of ${anyOf.join(', ')}`,
    )
  }
  if (allOf) {
    add(
      (value) => allOf.every((wanted) => holds(value, wanted)),
      'does not hold every required value',
      `holds all of ${allOf.join(', ')}`,
    )
  }
  if (equals !== undefined)
    add((value) => value === equals, 'is not the required value', `is ${JSON.stringify(equals)}`)
  if (includes !== undefined) {
    const held = (value: unknown) => Array.isArray(value) && value.includes(includes)
    add(held, 'is not a list with the required item', `is a list with ${JSON.stringify(includes)}`)
  }
  if (prefix !== undefined) {
    add((value) => isBelow(value, prefix), 'is not below the required path', `is ${prefix} or below it`)
  }
  if (present) add(isPresent, 'is empty', 'is there')
  if (atLeast !== undefined) {
    add((value, at) => isNumber(value) && value >= seconds(atLeast, at), beyond('is too low'), `is at least ${atLeast}`)
  }
  if (atMost !== undefined) {
    add((value, at) => isNumber(value) && value <= seconds(atMost, at), beyond('is too high'), `is at most ${atMost}`)
  }
  if (matches) {
    const held = (value: unknown) =>
      typeof value === 'string' && value.length <= MAX_MATCHED_CHARACTERS && matches.test(value)
    add(held, 'does not have the required form', `matches ${matches.source}`)
  }
  return checks
}

/** A text holds itself and, like OAuth's `scope`, its space-separated words; a list holds its items. */
function holds(value: unknown, wanted: Scalar): boolean {
  if (value === wanted) return true
  if (Array.isArray(value)) return value.includes(wanted)
  return typeof value === 'string' && value.includes(' ') && value.split(' ').some((word) => word === wanted)
}

function isBelow(value: unknown, prefix: string): boolean {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'string' && isBelow(item, prefix))
  // An empty text would be below the prefix /.
  if (typeof value !== 'string' || value === '') return false
  const above = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  // /org/eng/../hr looks as if it were below /org/eng, and so do its other spellings.
  if (/(?:^|[/\\])\.\.?(?:[/\\]|$)|%/u.test(value)) return false
  return value === above || value.startsWith(`${above}/`)
}

/** JSON's 1e999 becomes Infinity, which would pass every lower bound. */
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

function isPresent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== ''
}
