import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { ISSUER_NAME } from '../identity/issuer.ts'
import { nearest } from '../lib/nearest.ts'
import { hasUniqueNames } from '../lib/unique-names.ts'
import type { ReportFault } from './faults.ts'
import { meantField } from './unknown-field.ts'
import { parseYaml } from './yaml.ts'

/** A caller, an issuer or a token that is refused. */
export type Denial = Readonly<{
  by: 'subject' | 'issuer' | 'token'
  /** The short name of the issuer. */
  issuer: string
  /** The subject, or the id of the token; empty for a whole issuer. */
  name: string
  reason?: string
  /** Epoch milliseconds; without it, for ever. */
  until?: number
}>

/** Larger files, and longer lists, are refused: all of it is in memory, and is read in one go. */
export const MAX_FILE_BYTES = 1024 * 1024
const MAX_ENTRIES = 5000

const READABLE = 'must name a readable YAML or JSON file of at most 1 MiB that is not empty'
const SYNTAX = 'check the path, its permissions and its syntax; write {} to deny nobody'
const SHAPE = 'see "The file" in docs/denylist.md'

/** A subject, or the id of a token, as a token has it. */
export const deniedName = z
  .string('is required')
  .min(1, 'must not be empty')
  .max(1024, 'must have at most 1024 characters')
export const denialReason = z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters')

const shared = {
  issuer: z.string('is required').regex(ISSUER_NAME, 'must be the short name of an issuer'),
  reason: denialReason.optional(),
  until: z.iso
    .datetime({ offset: true, error: 'must be a date and time such as 2030-01-31T12:00:00Z' })
    .transform((text) => Date.parse(text))
    .optional(),
}
const subjectEntry = z.strictObject({ subject: deniedName, ...shared })
const issuerEntry = z.strictObject(shared)
const tokenEntry = z.strictObject({ tokenId: deniedName, ...shared })
const fileSchema = z.strictObject(
  {
    subjects: z.array(subjectEntry, 'must be a list').optional(),
    issuers: z.array(issuerEntry, 'must be a list').optional(),
    tokenIds: z.array(tokenEntry, 'must be a list').optional(),
  },
  'must hold one or more of subjects, issuers and tokenIds',
)
const FIELDS = Object.keys({ ...subjectEntry.shape, ...tokenEntry.shape, ...fileSchema.shape })

/** A fault of the file: its place, the rule and the remedy. Never a value, which may be a person's name. */
export type DenyFault = Readonly<{ at: string; rule: string; remedy: string }>

/**
 * Reads the text of the file: all of it, or nothing. Every scalar is a text as it is written, so that a subject of
 * digits stays what it is.
 * @param issuerNames the issuers that there are: an entry for another would deny nobody, in silence
 */
export function parseDenials(
  text: string,
  issuerNames: readonly string[],
): Readonly<{ denials: readonly Denial[] } | { faults: readonly DenyFault[] }> {
  const parsed = read(text)
  if (!parsed) return { faults: [{ at: '', rule: READABLE, remedy: SYNTAX }] }
  if (!parsed.success) return { faults: parsed.error.issues.map(faultOf) }
  const denials = denialsIn(parsed.data)
  const faults =
    denials.length > MAX_ENTRIES ? [{ at: '', rule: `must hold at most ${MAX_ENTRIES} entries`, remedy: SHAPE }] : []
  for (const [list, entries] of Object.entries(parsed.data)) {
    for (const [index, { issuer }] of (entries ?? []).entries()) {
      if (issuerNames.includes(issuer)) continue
      const meant = nearest(issuer, issuerNames)
      const remedy = meant === undefined ? `the issuers are: ${issuerNames.join(', ')}` : `did you mean ${meant}?`
      faults.push({ at: `.${list}[${index}].issuer`, rule: 'must be an issuer that is configured', remedy })
    }
  }
  return faults.length > 0 ? { faults } : { denials }
}

/** Undefined for what is no YAML. Long lists are JSON, which takes a twentieth of the time: requests wait meanwhile. */
function read(text: string): ReturnType<typeof fileSchema.safeParse> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    // Where YAML refuses a member that stands there twice, JSON takes the last.
    const parsed = fileSchema.safeParse(json)
    if (parsed.success && hasUniqueNames(text, json)) return parsed
  } catch {
    // Read as YAML.
  }
  try {
    return fileSchema.safeParse(parseYaml(text, 'failsafe'))
  } catch {
    return undefined
  }
}

function denialsIn({ subjects = [], issuers = [], tokenIds = [] }: z.output<typeof fileSchema>): Denial[] {
  const denial = (by: Denial['by'], name: string, { issuer, reason, until }: z.output<typeof issuerEntry>): Denial => ({
    by,
    issuer,
    name,
    ...(reason !== undefined && { reason }),
    ...(until !== undefined && { until }),
  })
  return [
    ...subjects.map((entry) => denial('subject', entry.subject, entry)),
    ...issuers.map((entry) => denial('issuer', '', entry)),
    ...tokenIds.map((entry) => denial('token', entry.tokenId, entry)),
  ]
}

function faultOf(issue: z.core.$ZodIssue): DenyFault {
  const at = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  if (issue.code !== 'unrecognized_keys') return { at, rule: issue.message, remedy: SHAPE }
  return { at, rule: 'must not have an unknown field', remedy: meantField(issue.keys, FIELDS) ?? SHAPE }
}

/** The file as it was read at start. It is watched from then on. */
export type DenyFile = Readonly<{ path: string; text: string; denials: readonly Denial[] }>

/** Reads the file at start. Reports its faults: a service that cannot read whom to refuse must not start. */
export function readDenyFile(path: string, issuerNames: readonly string[], report: ReportFault): DenyFile | undefined {
  const text = contentOf(path)
  if (text === '') {
    report('DENY_FILE', READABLE, SYNTAX)
    return undefined
  }
  const read = parseDenials(text, issuerNames)
  if ('denials' in read) return { path, text, denials: read.denials }
  for (const { at, rule, remedy } of read.faults.slice(0, 20)) report(`DENY_FILE${at}`, rule, remedy)
  return undefined
}

function contentOf(path: string): string {
  try {
    const stat = statSync(path)
    return stat.isFile() && stat.size <= MAX_FILE_BYTES ? readFileSync(path, 'utf8').trim() : ''
  } catch {
    return ''
  }
}
