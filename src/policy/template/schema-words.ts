import type { z } from 'zod'
import { nearest } from '../../lib/nearest.ts'

/** A fault of the schema in words for whoever wrote the template: where, what is wrong, and what to do if that is known. */
export type Explained = Readonly<{ path: PropertyKey[]; message: string; remedy?: string }>

/** Every key of the language, for whoever mistypes one, and what other languages call some of them. */
const KEYS = (
  'description accept allow issuer claims any anyOf allOf equals includes prefix present atLeast atMost matches sharedBy params ' +
  'kind pattern durationSeconds policy Version Statement Sid Effect Action Resource examples caller can cannot'
).split(' ')
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

/** What a key takes, where its own schema would only say that something is not valid. */
const TAKES: Readonly<Record<string, string>> = {
  equals: 'takes one text, number or boolean; for several use anyOf or allOf',
  includes: 'takes one text, number or boolean; for several use anyOf or allOf',
  atLeast: 'takes a number, or now; a time is seconds since 1970',
  atMost: 'takes a number, or now; a time is seconds since 1970',
  present: 'takes true alone',
  durationSeconds: 'takes seconds as a number: 3600 is an hour',
  issuer: 'takes the short name of an issuer, or a list of them',
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

/** One fault as the schema tells it; several where it stands for several. */
export function explainIssue(issue: z.core.$ZodIssue): Explained[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], key))
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
  // A union reports every branch; the one that got furthest is the one that was meant.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? []
    if (depth(deepest) > 0) {
      return deepest.flatMap(explainIssue).map((one) => ({ ...one, path: [...path, ...one.path] }))
    }
  }
  return [{ path, message: words(issue) }]
}

function unknownKey(path: PropertyKey[], key: string): Explained {
  if (KEYS.includes(key))
    return { path, message: 'is not a key of this place', remedy: 'see where it belongs in the language' }
  const meant = SYNONYMS[key.toLowerCase()] ?? nearest(key, KEYS)
  return { path, message: 'is not a known key', ...(meant !== undefined && { remedy: `did you mean ${meant}?` }) }
}

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

/** What to do about a text that is not YAML, where the parser's words do not help somebody who is new to it. */
export function syntaxRemedy(message: string): string {
  if (/Tabs are not allowed/u.test(message)) return 'indent with spaces'
  if (/flow|Unexpected/u.test(message)) return 'put texts that have ${…}, {, [, * or : in them into double quotes'
  return 'correct the YAML or JSON'
}
