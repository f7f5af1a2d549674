import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import {
  type Algorithm,
  defaultAlgorithms,
  type Issuer,
  type IssuerFault,
  issuerEntrySchema,
  issuerFaults,
  type KeyOrigin,
} from '../identity/issuer.ts'
import type { ReportFault } from './faults.ts'
import { tokens } from './groups/tokens.ts'
import type { Setting } from './setting.ts'
import type { ReadSettings } from './settings.ts'

const FIELDS = Object.keys(issuerEntrySchema.shape).join(', ')

/** The short name of the issuer that the single-issuer variables describe. */
export const ONLY_ISSUER = 'app'

/** The short names in an issuers file, even if the rest is wrong; undefined if it has none. Reads no secret. */
export function issuerNames(path: string): readonly string[] | undefined {
  try {
    const entries = z.array(z.looseObject({ name: issuerEntrySchema.shape.name })).min(1)
    return entries.parse(parseYaml(readFileSync(path, 'utf8'))).map(({ name }) => name)
  } catch {
    return undefined
  }
}

/** The settings for tokens. */
type TokenSettings = Pick<ReadSettings, keyof typeof tokens>

/**
 * The trusted issuers, from the variables of one issuer or from a file of several. Reports faults and leaves out faulty
 * issuers.
 */
export function readIssuers(settings: TokenSettings, report: ReportFault, sandbox: boolean): Issuer[] {
  if (settings.JWT_ISSUERS_FILE === undefined) return readSingleIssuer(settings, report, sandbox)
  const given: Readonly<Record<string, unknown>> = settings
  for (const [name, setting] of Object.entries<Setting>(tokens)) {
    if (name === 'JWT_ISSUERS_FILE' || setting.default !== undefined || given[name] === undefined) continue
    report(name, 'must not be set beside JWT_ISSUERS_FILE', 'move it into the file or unset JWT_ISSUERS_FILE')
  }
  return readIssuersFile(settings.JWT_ISSUERS_FILE, settings, report, sandbox)
}

function readSingleIssuer(settings: TokenSettings, report: ReportFault, sandbox: boolean): Issuer[] {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = settings
  const origins = { secret: settings.JWT_SECRET, publicKey: settings.JWT_PUBLIC_KEY, jwksUrl: settings.JWT_JWKS_URL }
  const { JWT_JWKS_MAX_AGE_SECONDS: maxAgeSeconds, JWT_JWKS_ORIGINS: jwksOrigins } = settings
  const keys = keyOrigin(origins, { maxAgeSeconds, origins: jwksOrigins ?? [] })
  if (!keys) {
    const [, second = ''] = (['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWT_JWKS_URL'] as const).filter((name) => settings[name])
    const rule = 'at most one of JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL may be set'
    report(second, rule, 'keep the one that your issuer uses; with none, the key set is discovered')
    return []
  }
  if (jwksOrigins && keys.kind !== 'discovery') report('JWT_JWKS_ORIGINS', ...ONLY_DISCOVERED)
  const candidate: Issuer = {
    name: ONLY_ISSUER,
    issuer: issuer ?? '',
    audience: audience ?? [],
    algorithms: settings.JWT_ALGORITHMS ?? fallbackAlgorithms(keys),
    clockToleranceSeconds: settings.JWT_CLOCK_TOLERANCE_SECONDS,
    ...meaning(settings.JWT_ALLOWED_TYPES, settings.JWT_MAX_TOKEN_AGE_SECONDS),
    keys,
  }
  const variable = {
    secret: 'JWT_SECRET',
    'public-key': 'JWT_PUBLIC_KEY',
    jwks: 'JWT_JWKS_URL',
    discovery: 'JWT_ISSUER',
  }
  if (keys.kind === 'discovery' && issuer === undefined) return []
  const faults = relevant(issuerFaults(candidate), sandbox)
  for (const { rule, remedy } of faults) report(variable[keys.kind], rule, remedy)
  return faults.length > 0 || issuer === undefined || audience === undefined ? [] : [candidate]
}

const ONLY_DISCOVERED = [
  'applies only to a discovered key set',
  'leave it out: the address of the key set is given',
] as const
const ONLY_FETCHED = ['applies only to fetched key sets', 'leave it out: a configured key has no age'] as const

function readIssuersFile(path: string, defaults: TokenSettings, report: ReportFault, sandbox: boolean): Issuer[] {
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
  const issuers = entries.data.flatMap((entry, index) =>
    readEntry(entry, `JWT_ISSUERS_FILE[${index}]`, { path, defaults, report, sandbox }),
  )
  for (const field of ['name', 'issuer'] as const) {
    if (new Set(issuers.map((issuer) => issuer[field])).size < issuers.length) {
      report(
        'JWT_ISSUERS_FILE',
        `each ${field} must appear only once`,
        'two entries for one issuer cannot be told apart',
      )
    }
  }
  return issuers
}

/**
 * Strict YAML without output: yaml's own `parse` prints warnings (an unknown tag, a mapping as a key) with the line
 * that they are about, and this line can contain a secret.
 */
export function parseYaml(text: string, schema: 'core' | 'failsafe' = 'core'): unknown {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, schema })
  if (document.errors.length + document.warnings.length > 0) throw new Error('not strict YAML')
  return document.toJS()
}

type FileContext = Readonly<{ path: string; defaults: TokenSettings; report: ReportFault; sandbox: boolean }>

function readEntry(entry: unknown, at: string, { path, defaults, report, sandbox }: FileContext): Issuer[] {
  const parsed = issuerEntrySchema.safeParse(entry)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      // Zod's own messages can quote the input, and `secret` is a secret. An unknown field name can be one too: without
      // its space, {secret:hunter2} is a field named secret:hunter2.
      const rule =
        issue.code === 'unrecognized_keys' ? `has a field that is not one of ${FIELDS}` : 'has the wrong form'
      report([at, ...issue.path].join('.'), rule, 'see "Several issuers" in docs/configuration.md')
    }
    return []
  }
  const { secretFile, publicKeyFile, name, issuer, audience, ...rest } = parsed.data
  const { clockToleranceSeconds = defaults.JWT_CLOCK_TOLERANCE_SECONDS, jwksMaxAgeSeconds, jwksOrigins } = rest
  const pathOf = (file: string) => resolve(dirname(path), file)
  const fromFile = (field: string, file: string | undefined) => {
    if (file === undefined) return undefined
    try {
      const content = readFileSync(pathOf(file), 'utf8').trim()
      if (content !== '') return content
      report(`${at}.${field}`, 'must not name an empty file', 'write the key into it')
    } catch {
      report(`${at}.${field}`, 'must name a readable file', 'the path is relative to the issuers file')
    }
    return undefined
  }
  const given = [rest.secret, secretFile, rest.publicKey, publicKeyFile, rest.jwksUrl].filter((v) => v !== undefined)
  const secret = rest.secret ?? fromFile('secretFile', secretFile)
  const publicKey = rest.publicKey ?? fromFile('publicKeyFile', publicKeyFile)
  if ((secretFile !== undefined && secret === undefined) || (publicKeyFile !== undefined && publicKey === undefined)) {
    return []
  }
  const maxAgeSeconds = jwksMaxAgeSeconds ?? defaults.JWT_JWKS_MAX_AGE_SECONDS
  const fetched = { maxAgeSeconds, origins: jwksOrigins ?? [] }
  const keys = given.length > 1 ? undefined : keyOrigin({ secret, publicKey, jwksUrl: rest.jwksUrl }, fetched)
  if (!keys) {
    report(at, 'at most one of secret, secretFile, publicKey, publicKeyFile and jwksUrl may be set', 'keep one')
    return []
  }
  if (jwksOrigins && keys.kind !== 'discovery') report(`${at}.jwksOrigins`, ...ONLY_DISCOVERED)
  if (jwksMaxAgeSeconds !== undefined && !('maxAgeSeconds' in keys)) report(`${at}.jwksMaxAgeSeconds`, ...ONLY_FETCHED)
  const algorithms = rest.algorithms ?? fallbackAlgorithms(keys)
  const file = secretFile ?? publicKeyFile
  const keyFile = file === undefined ? {} : { keyFile: pathOf(file) }
  const bounds = meaning(rest.allowedTypes, rest.maxTokenAgeSeconds)
  const candidate: Issuer = { name, issuer, audience, algorithms, clockToleranceSeconds, ...bounds, keys, ...keyFile }
  const faults = relevant(issuerFaults(candidate), sandbox)
  for (const { rule, remedy } of faults) report(at, rule, remedy)
  return faults.length > 0 ? [] : [candidate]
}

/** The configured rules for the meaning of a token. The others have defaults. */
function meaning(
  allowedTypes: readonly string[] | undefined,
  maxTokenAgeSeconds: number | undefined,
): Pick<Issuer, 'allowedTypes' | 'maxTokenAgeSeconds'> {
  return { ...(allowedTypes && { allowedTypes }), ...(maxTokenAgeSeconds !== undefined && { maxTokenAgeSeconds }) }
}

function keyOrigin(
  given: { secret: string | undefined; publicKey: string | undefined; jwksUrl: string | undefined },
  { maxAgeSeconds, origins }: { maxAgeSeconds: number; origins: readonly string[] },
): KeyOrigin | undefined {
  if (Object.values(given).filter((value) => value !== undefined).length > 1) return undefined
  if (given.secret !== undefined) return { kind: 'secret', secret: given.secret }
  if (given.publicKey !== undefined) return { kind: 'public-key', pem: pemOf(given.publicKey) }
  if (given.jwksUrl !== undefined) return { kind: 'jwks', url: given.jwksUrl, maxAgeSeconds }
  return { kind: 'discovery', origins, maxAgeSeconds }
}

/** Environment files cannot contain line breaks, so a literal \n stands for one. */
export const pemOf = (text: string) => text.replaceAll('\\n', '\n')

function fallbackAlgorithms(keys: KeyOrigin): readonly Algorithm[] {
  try {
    return defaultAlgorithms(keys)
  } catch {
    return [] // not a key at all, which issuerFaults says
  }
}

function relevant(faults: readonly IssuerFault[], sandbox: boolean): readonly IssuerFault[] {
  return sandbox ? faults.filter((fault) => !fault.weak) : faults
}
