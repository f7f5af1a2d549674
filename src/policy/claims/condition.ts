import { z } from 'zod'
import { claimAt, parseClaim } from './claim.ts'
import { patternSchema } from './pattern.ts'

/** A longer text never meets a pattern: even a harmless one takes its time over a whole token. */
const MAX_MATCHED_CHARACTERS = 256

// JSON's numbers are not exact beyond: 9007199254740993 would be the same as …992.
const number = z
  .number()
  .refine((value) => Math.abs(value) <= Number.MAX_SAFE_INTEGER, 'is too large to be exact: give it as text')
const scalar = z.union([z.string().min(1), number, z.boolean()])
const scalars = z.union([scalar.transform((one) => [one]), z.array(scalar).min(1)])
const bound = z
  .union([number, z.literal('now')])
  .describe('A number, or now: the time of the request in seconds since 1970, as exp counts them.')

/** What one claim must be. All that is given must hold; a claim of a type that does not fit never does. */
const testsSchema = z
  .strictObject({
    anyOf: scalars.describe('At least one of these: the claim itself, one of its words, or an item of its list.'),
    allOf: scalars.describe('Each of these: the claim itself, its words, or items of its list.'),
    equals: scalar.describe('The whole claim, type included: "true" is not true.'),
    includes: scalar.describe('The claim is a list that has this item. A text is no list, whatever words it has.'),
    prefix: z
      .string()
      .min(1)
      .describe('The claim, or an item of its list, is this path or below it: /org/eng, but not /org/engineering.'),
    present: z.literal(true).describe('The claim is there and not null, an empty text or an empty list.'),
    atLeast: bound,
    atMost: bound,
    matches: patternSchema.describe('The whole claim, a text, has this form. The last resort: prefer the others.'),
  })
  .partial()
  .refine((tests) => Object.keys(tests).length > 0, 'has no test')

const conditionSchema = z.union([scalars.transform((anyOf) => ({ anyOf })), testsSchema])

/** Claims by name, each with what it must be. A scalar or a list is short for `anyOf`. */
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

/** What is wrong with a claim's name. */
export const NOT_A_CLAIM = 'is not the name of a claim: a.b reaches into a, "a.b" in double quotes is one name'

/** What a claim must be; each test that is given must hold. */
export type ClaimTests = z.output<typeof conditionSchema> & z.output<typeof testsSchema>

/** A claim, as it was written and as steps, with what it must be, and how that is found out. */
export type ClaimCondition = Readonly<{
  claim: string
  path: readonly string[]
  tests: ClaimTests
  checks: readonly ClaimCheck[]
}>

/** One test of a claim that is there. `told` and `needs` are what the claim is or must be, for caller and operator. */
type ClaimCheck = Readonly<{
  held: (value: unknown, at: number) => boolean
  told: (value: unknown) => string
  needs: string
}>

/** One test of a claim: whether it holds, in words for the caller (no value but the claim's name), and for the operator. */
export type TestResult = Readonly<{ held: boolean; told: string; needs: string }>

type Scalar = z.output<typeof scalar>

/** The first test that a claim fails, in words for the caller; undefined when it passes all of them. */
export function failureOf(
  { claim, path, checks }: ClaimCondition,
  claims: Readonly<Record<string, unknown>>,
  at: number,
): string | undefined {
  const value = claimAt(claims, path)
  if (isMissing(value)) return `claim "${claim}" is missing`
  for (const { held, told } of checks) if (!held(value, at)) return `claim "${claim}" ${told(value)}`
  return undefined
}

/** Every test of a condition, those that hold too. */
export function testClaim(
  { claim, path, checks }: ClaimCondition,
  claims: Readonly<Record<string, unknown>>,
  at: number,
): TestResult[] {
  const value = claimAt(claims, path)
  const missing = isMissing(value)
  return checks.map(({ held, told, needs }) => ({
    held: !missing && held(value, at),
    told: `claim "${claim}" ${missing ? 'is missing' : told(value)}`,
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

/** A text stands for itself and, as OAuth's `scope` does, for its space-separated parts; a list for its items. */
function holds(value: unknown, wanted: Scalar): boolean {
  if (value === wanted) return true
  if (Array.isArray(value)) return value.includes(wanted)
  return typeof value === 'string' && value.includes(' ') && value.split(' ').some((word) => word === wanted)
}

function isBelow(value: unknown, prefix: string): boolean {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'string' && isBelow(item, prefix))
  // An empty text is above everything, the / of a prefix too.
  if (typeof value !== 'string' || value === '') return false
  const above = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  // /org/eng/../hr reads as if it were below /org/eng, and so do its other spellings.
  if (/(?:^|[/\\])\.\.?(?:[/\\]|$)|%/u.test(value)) return false
  return value === above || value.startsWith(`${above}/`)
}

/** JSON's 1e999 becomes Infinity, which is over every bound: nobody has meant that. */
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

function isPresent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== ''
}
