import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { Issuer } from '../identity/issuer.ts'
import { type EntryField, type IssuerEntry, issuerEntrySchema } from '../identity/issuer-entry.ts'
import {
  type EntryFault,
  fillIn,
  type GivenEntry,
  givenEntrySchema,
  issuerOf,
  PROVIDER_NAMES,
  providerSchema,
  strangersAt,
  typicalClaims,
} from '../identity/preset.ts'
import type { ReportFault } from './faults.ts'
import { type GivenKey, type GivenKeys, readProfile, type TokenSettings } from './issuer-profile.ts'
import { meantField } from './unknown-field.ts'
import { parseYaml } from './yaml.ts'

const FIELDS = Object.keys(givenEntrySchema.shape)
const REMEDY = 'see "Several issuers" in docs/configuration.md'
const SECRETS = ['secret', 'secretFile'] as const
const PUBLIC_KEYS = ['publicKey', 'publicKeyFile', 'jwksUrl', 'jwksFile'] as const

const outlineSchema = z.looseObject({
  name: issuerEntrySchema.shape.name,
  provider: providerSchema.optional().catch(undefined),
  subject: z.string().optional().catch(undefined),
  issuer: givenEntrySchema.shape.issuer.catch(undefined),
})

/** What templates are checked against: the short name of an issuer, its claims as its provider makes them, and strangers'. */
export type IssuerOutline = Pick<Issuer, 'name' | 'typicalClaims' | 'strangers'>

/** The issuers of a file, even if the rest of it is wrong; undefined if one has no name. Reads no secret. */
export function issuerOutlines(path: string): readonly IssuerOutline[] | undefined {
  try {
    const entries = z.array(outlineSchema).min(1)
    const parsed = entries.parse(parseYaml(readFileSync(path, 'utf8')))
    return parsed.map((entry) => {
      const strangers = strangersAt(issuerOf(entry), entry.subject)
      return { name: entry.name, typicalClaims: typicalClaims(entry), ...(strangers && { strangers }) }
    })
  } catch {
    return undefined
  }
}

/** The issuers of a file. Reports faults and leaves out faulty issuers. */
export function readIssuersFile(
  path: string,
  defaults: TokenSettings,
  report: ReportFault,
  sandbox: boolean,
): Issuer[] {
  let content: unknown
  try {
    content = parseYaml(readFileSync(path, 'utf8'))
  } catch {
    report(
      'JWT_ISSUERS_FILE',
      'must name a readable YAML or JSON file',
      'check the path, its permissions and its syntax',
    )
    return []
  }
  const entries = z.array(z.unknown()).min(1).safeParse(content)
  if (!entries.success) {
    report('JWT_ISSUERS_FILE', 'must hold a list of at least one issuer', 'start each entry with "- name: …"')
    return []
  }
  return entries.data.flatMap((content, index) => {
    const at = `JWT_ISSUERS_FILE[${index}]`
    const given = parseEntry(content, at, report)
    const file = { report: (field: EntryField, ...fault: Fault) => report(`${at}.${field}`, ...fault), path }
    const entry = given && complete(given, file.report)
    const keys = entry && readKeys(entry, file, (...fault) => report(at, ...fault))
    if (!keys) return []
    const issuer = readProfile(withPaths(entry, path), keys, { defaults, report: file.report, sandbox })
    return issuer ? { ...issuer, ...(given.provider && { typicalClaims: typicalClaims(given) }) } : []
  })
}

type Fault = [rule: string, remedy: string]

function parseEntry(content: unknown, at: string, report: ReportFault): GivenEntry | undefined {
  const hasProvider = typeof content === 'object' && content !== null && 'provider' in content
  const parsed = (hasProvider ? givenEntrySchema : issuerEntrySchema).safeParse(content)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) {
    // Zod's own messages can quote the input, and `secret` is a secret. An unknown field name can be one too: without
    // its space, {secret:hunter2} is a field named secret:hunter2.
    const isProvider = issue.path[0] === 'provider'
    const place = [at, ...issue.path].join('.')
    if (issue.code === 'unrecognized_keys') {
      report(place, `has a field that is not one of ${FIELDS.join(', ')}`, meantField(issue.keys, FIELDS) ?? REMEDY)
    } else if (isProvider) report(place, `must be one of ${PROVIDER_NAMES.join(', ')}`, REMEDY)
    else if (issue.path[0] === 'name') report(place, 'must be 1 to 32 of a-z, 0-9 and -', REMEDY)
    else report(place, isLeftOut(content, issue.path) ? 'is required' : 'has the wrong form', REMEDY)
  }
  return undefined
}

const isLeftOut = (entry: unknown, [field, ...deeper]: readonly PropertyKey[]): boolean =>
  typeof entry === 'object' && entry !== null && field !== undefined && deeper.length === 0 && !(field in entry)

/** Reports what neither the entry nor its provider says. */
function complete(given: GivenEntry, report: File['report']): IssuerEntry | undefined {
  const filled = fillIn(given)
  if (!isFaults(filled)) return filled
  for (const fault of filled) report(...fault)
  return undefined
}

const isFaults = (filled: ReturnType<typeof fillIn>): filled is readonly EntryFault[] => Array.isArray(filled)

type File = Readonly<{ path: string; report: (field: EntryField, ...fault: Fault) => void }>

/** The keys of an entry, out of it and out of its files. Undefined after a report. */
function readKeys(entry: IssuerEntry, file: File, report: (...fault: Fault) => void): GivenKeys | undefined {
  for (const [one, several] of [
    ['secret and secretFile', SECRETS],
    ['publicKey, publicKeyFile, jwksUrl and jwksFile', PUBLIC_KEYS],
  ] as const) {
    if (several.filter((field) => entry[field] !== undefined).length < 2) continue
    report(`at most one of ${one} may be set`, 'keep one: a secret may stand beside one source of public keys')
    return undefined
  }
  const secret = readKey(entry, 'secret', 'secretFile', file)
  const publicKey = readKey(entry, 'publicKey', 'publicKeyFile', file)
  const jwksFile = readKey(entry, undefined, 'jwksFile', file)
  if (secret === FAULTY || publicKey === FAULTY || jwksFile === FAULTY) return undefined
  return { ...(secret && { secret }), ...(publicKey && { publicKey }), ...(jwksFile && { jwksFile }) }
}

const FAULTY = 'faulty'

function readKey(
  entry: IssuerEntry,
  field: 'secret' | 'publicKey' | undefined,
  fileField: 'secretFile' | 'publicKeyFile' | 'jwksFile',
  { path, report }: File,
): GivenKey | undefined | typeof FAULTY {
  const text = field && entry[field]
  if (field && text !== undefined) return { field, text }
  const name = entry[fileField]
  if (name === undefined) return undefined
  const file = resolve(dirname(path), name)
  try {
    const content = readFileSync(file, 'utf8').trim()
    if (content !== '') return { field: fileField, text: content, file }
    report(fileField, 'must not name an empty file', 'write the key into it')
  } catch {
    report(fileField, 'must name a readable file', 'the path is relative to the issuers file')
  }
  return FAULTY
}

/** The paths of an entry are relative to its file. */
function withPaths(entry: IssuerEntry, path: string): IssuerEntry {
  const { jwksTokenFile, jwksCaFile } = entry
  return {
    ...entry,
    ...(jwksTokenFile !== undefined && { jwksTokenFile: resolve(dirname(path), jwksTokenFile) }),
    ...(jwksCaFile !== undefined && { jwksCaFile: resolve(dirname(path), jwksCaFile) }),
  }
}
