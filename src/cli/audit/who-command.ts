import { readFileSync } from 'node:fs'
import { printable } from '../../policy/template/finding.ts'
import { CommandError, count, createPaint, type Io, type Paint, writeJson } from '../io.ts'
import { configuredIssuers } from '../settings.ts'
import { callersIn, type Found, type Wanted } from './callers.ts'
import { auditKeys } from './keys.ts'
import { linesOf } from './lines.ts'
import { type Candidate, candidatesIn, ownersOf, readSessionName, type SessionName } from './names.ts'

/** The options of `audit who`. */
export type WhoOptions = Wanted &
  Readonly<{
    issuer?: readonly string[]
    subject?: readonly string[]
    /** A file with one subject a line. */
    subjects?: string
    json?: boolean
  }>

/**
 * `audit who [file…]`: whose a session is that the audit of JD Cloud names, by the files, by the name itself, and by
 * computing the names of candidates. 0 if somebody is found, 1 if not.
 * @throws {CommandError}
 */
export async function whoCommand(io: Io, files: readonly string[], options: WhoOptions): Promise<0 | 1> {
  const { session, accessKey } = options
  if (session === undefined && accessKey === undefined) throw new CommandError('--session or --access-key is needed', 2)
  if (files.length === 0 && session === undefined) throw new CommandError('--access-key needs audit files', 2)
  const name = session === undefined ? undefined : readSessionName(session)
  if (session !== undefined && !name) throw new CommandError('--session is not a name that this service gives', 2)
  const issuers = options.issuer ?? configuredIssuers(io.env).map((issuer) => issuer.name)
  const given = candidatesOf(options, issuers)
  const byName = name ? candidatesIn(name, issuers) : []
  const computed = name ? ownersOf(name, [...byName, ...given]) : []
  const { subject: keys } = auditKeys(io.env)
  const found = await callersIn(linesOf(io, files), options, { keys, candidates: [...byName, ...given] })
  if (options.json) writeJson(io, { name, found, computed })
  else
    io.out(
      show({ name, found, computed, searched: files.length > 0, given: given.length }, createPaint(io.terminal.out)),
    )
  return found.length + computed.length > 0 ? 0 : 1
}

function candidatesOf({ subject = [], subjects }: WhoOptions, issuers: readonly string[]): Candidate[] {
  const listed = subjects === undefined ? [] : readSubjects(subjects)
  return issuers.flatMap((issuer) => [...subject, ...listed].map((one) => ({ issuer, subject: one })))
}

function readSubjects(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split(/\r?\n/u)
      .filter((line) => line !== '')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error'
    throw new CommandError(`--subjects ${file} cannot be read: ${code}`, 2)
  }
}

type Answer = Readonly<{
  name: SessionName | undefined
  found: readonly Found[]
  computed: readonly Candidate[]
  searched: boolean
  given: number
}>

function show({ name, found, computed, searched, given }: Answer, paint: Paint): string {
  return [
    ...(name ? [aboutName(name), ''] : []),
    ...found.flatMap((one) => [...showFound(one, paint), '']),
    ...computed.map((one) => `${paint.green('✓')} ${printable(showCandidate(one))}, by the name of the session`),
    ...(searched && found.length === 0 ? [`The files have no event that fits${name ? NOT_SHOWN : ''}.`] : []),
    ...(!searched && name?.kind === 'shared' ? ['Give the audit files: only they tell the callers.'] : []),
    ...(name?.kind === 'hashed' && found.length + computed.length === 0
      ? [
          `${given === 0 ? 'Give' : 'No subject fits. Give'} the audit files, or possible subjects: --subject or --subjects.`,
        ]
      : []),
    '',
  ].join('\n')
}

/** Anyone who may assume the role chooses the name of the session. */
const NOT_SHOWN = ': they do not show that this service gave the session out'

function aboutName(name: SessionName): string {
  if (name.kind === 'own') return OWN[name.by]
  if (name.kind === 'shared')
    return `This session signs for all callers of ${name.template}: --at and --key say which of them it was.`
  const how = name.kind === 'hashed' ? 'a hash of issuer and subject' : `the caller ${printable(name.readable)}`
  const label = name.label === undefined ? '' : `, and the caller's own label ${printable(name.label)}`
  return `The name has the policy ${name.template} and ${how}${label}.`
}

const OWN = {
  service:
    'The service itself took this session, to try its keys or the clock of STS. It opens nothing, and no caller has it.',
  doctor: 'Somebody ran oss-vend doctor, which took this session. No caller has it.',
}

const showCandidate = ({ issuer, subject }: Candidate) => `${subject} of issuer ${issuer}`

function showFound(found: Found, paint: Paint): string[] {
  const { issuer, subject, revealed, events, first, last, expiration, ...lists } = found
  const who = revealed === undefined ? subject : `${revealed} (${subject})`
  const row = (title: string, items: readonly string[]) => printable(`  ${title.padEnd(12)} ${items.join(', ')}`)
  return [
    `${paint.green('✓')} ${paint.bold(printable(showCandidate({ issuer, subject: who })))}`,
    row('policy', lists.policies),
    row('target', lists.targets),
    row('given out', [`${count(events, 'time')}, from ${first} to ${last}, valid until ${expiration}`]),
    row('address', lists.addresses),
    row('access key', lists.accessKeyIds),
    row('request', lists.requestIds),
  ]
}
