import type { z } from 'zod'
import { nearest } from '../../lib/nearest.ts'

/** A schema error in words for the template's author: where, what is wrong, and a remedy if there is a special one. */
export type Explained = Readonly<{ path: PropertyKey[]; message: string; remedy?: string }>

const TESTS = 'anyOf allOf equals includes prefix present atLeast atMost matches'.split(' ')

/** The keys of each place; `*` is a name of the author's own, or an index. */
const KEYS_AT: Readonly<Record<string, readonly string[]>> = {
  '': 'description allow target sharedBy accept params durationSeconds policy examples'.split(' '),
  allow: ['issuer', 'claims', 'any'],
  'allow.any.*': ['issuer', 'claims'],
  'allow.claims.*': TESTS,
  'allow.any.*.claims.*': TESTS,
  target: ['from', 'map'],
  'params.*': ['kind', 'pattern', 'oneOf', 'default', 'description'],
  policy: ['Version', 'Statement'],
  'policy.Statement.*': ['Sid', 'Effect', 'Action', 'Resource'],
  'examples.*': ['caller', 'at', 'params', 'can', 'cannot'],
}
const KEYS = Object.values(KEYS_AT).flat()

/** Other languages' names for keys. */
const SYNONYMS: Readonly<Record<string, string>> = {
  or: 'any',
  contains: 'includes',
  exists: 'present',
  regex: 'matches',
  enum: 'anyOf',
  in: 'anyOf',
  min: 'atLeast',
  max: 'atMost',
  ttl: 'durationSeconds',
}

/** What a key takes, where the schema would only say "invalid". */
const TAKES: Readonly<Record<string, string>> = {
  equals: 'takes one text, number or boolean; use anyOf or allOf for several',
  includes: 'takes one text, number or boolean; use anyOf or allOf for several',
  atLeast: 'takes a number, or now; a time is seconds since 1970',
  atMost: 'takes a number, or now; a time is seconds since 1970',
  present: 'takes only true',
  durationSeconds: 'takes seconds as a number: 3600 is an hour',
  issuer: 'takes the short name of an issuer, or a list of them',
  default: 'takes a text or a whole number',
  oneOf: 'takes a claim of the token: jwt:<claim>',
  at: 'takes a day or a time in UTC: 2026-03-01 or 2026-03-01T23:59:59Z',
  accept: 'takes rules, each with a reason: { list-bucket: "why" }',
  Action: 'takes an action such as oss:PutObject, or a list of them',
  Resource: 'takes a JRN in double quotes, or a list of them',
}

const NOUNS: Readonly<Record<string, string>> = {
  object: 'a mapping, with a key: value on each line',
  record: 'a mapping, with a key: value on each line',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

/** The errors behind one issue of the schema. */
export function explainIssue(issue: z.core.$ZodIssue, above: readonly PropertyKey[] = []): Explained[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(path, key, placeOf([...above, ...path])))
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
  // A union reports every branch; the author probably meant the one that parsed furthest.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? []
    if (depth(deepest) > 0) {
      return deepest
        .flatMap((one) => explainIssue(one, [...above, ...path]))
        .map((one) => ({ ...one, path: [...path, ...one.path] }))
    }
  }
  return [{ path, message: words(issue) }]
}

function unknownKey(parent: PropertyKey[], key: string, place: string): Explained {
  const path = [...parent, key]
  const keys = KEYS_AT[place] ?? []
  if (KEYS.includes(key))
    return { path, message: 'does not belong here', remedy: 'see docs/policies.md#the-language for its place' }
  const synonym = SYNONYMS[key.toLowerCase()]
  const meant = synonym !== undefined && keys.includes(synonym) ? synonym : nearest(key, keys)
  return { path, message: 'is not a known key', ...(meant !== undefined && { remedy: `did you mean ${meant}?` }) }
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step, index) => {
      const above = path[index - 1]
      return typeof step === 'number' || above === 'claims' || above === 'params' ? '*' : String(step)
    })
    .join('.')

function words({ code, path, message, ...issue }: z.core.$ZodIssue): string {
  if (message.endsWith('received undefined')) return 'is required'
  if (message.endsWith('received null')) return 'is empty'
  const last = path.at(-1)
  const takes = typeof last === 'string' ? TAKES[last] : undefined
  if (code === 'invalid_union' || code === 'invalid_type' || code === 'invalid_value') {
    if (takes !== undefined) return takes
    if (path.at(-2) === 'claims') return 'takes a value, a list of values, or tests such as { equals: gold }'
    if (code === 'invalid_type' && 'expected' in issue)
      return `must be ${NOUNS[String(issue.expected)] ?? 'something else'}`
  }
  return message
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map(({ path }) => path.length))

/** A remedy for a YAML error, for authors who are new to YAML. */
export function syntaxRemedy(message: string): string {
  if (/Tabs are not allowed/u.test(message)) return 'indent with spaces'
  if (/flow|Unexpected/u.test(message)) return 'put texts with ${…}, {, [, * or : into double quotes'
  return 'correct the YAML or JSON'
}
