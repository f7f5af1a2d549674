import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { TARGET_NAME } from '../policy/template/target.ts'
import { checkTarget } from './checks.ts'
import { CHECK_PATH, type Environment, readEnvironment } from './environment.ts'
import type { ReportFault } from './faults.ts'
import { awsSts } from './groups/aws-sts.ts'
import { jdcloud } from './groups/jdcloud.ts'
import { storage } from './groups/storage.ts'
import { sts } from './groups/sts.ts'
import type { Setting } from './setting.ts'
import type { ReadSettings } from './settings.ts'
import { readSource, type SourceConfig } from './source.ts'
import { meantField } from './unknown-field.ts'
import { parseYaml } from './yaml.ts'

/** The name of the target that the variables of a single target describe. */
export const ONLY_TARGET = 'default'

/** Where sessions are for: who gives them, for which role, and the bucket that they open. It contains secrets. */
export type TargetConfig = Readonly<{
  name: string
  sts: SourceConfig
  oss: Readonly<{ account: string; region: string; endpoint: string; bucket: string }>
  /** Paths of the keys in files. */
  keyFiles: Readonly<{ accessKey?: string; secretKey?: string }>
}>

/** The settings that describe one target. An entry of the file has the same ones under shorter names. */
const OF_ONE_TARGET: Readonly<Record<string, Setting>> = {
  CREDENTIAL_SOURCE: sts.CREDENTIAL_SOURCE,
  ...jdcloud,
  ...awsSts,
  OSS_REGION: storage.OSS_REGION,
  OSS_BUCKET: storage.OSS_BUCKET,
  OSS_ENDPOINT: storage.OSS_ENDPOINT,
}

type Variables = Readonly<Record<'jdcloud' | 'aws-sts', string>>
const both = (variable: string): Variables => ({ jdcloud: variable, 'aws-sts': variable })

/** The fields that the commands name. */
export type TargetField =
  | 'accessKey'
  | 'account'
  | 'bucket'
  | 'endpoint'
  | 'maxSessionSeconds'
  | 'region'
  | 'role'
  | 'secretKey'
  | 'signHost'
  | 'stsEndpoint'

/** The variable of each field. One that belongs to the other source is a fault, as it is in the environment. */
const FIELDS: ReadonlyMap<string, Variables> = new Map([
  ['source', both('CREDENTIAL_SOURCE')],
  ['account', both('JDCLOUD_ACCOUNT_ID')],
  ['role', { jdcloud: 'JDCLOUD_ROLE_NAME', 'aws-sts': 'AWS_STS_ROLE_ARN' }],
  ['bucket', both('OSS_BUCKET')],
  ['region', both('OSS_REGION')],
  ['endpoint', both('OSS_ENDPOINT')],
  ['stsEndpoint', { jdcloud: 'JDCLOUD_STS_ENDPOINT', 'aws-sts': 'AWS_STS_ENDPOINT' }],
  ['stsRegion', both('AWS_STS_REGION')],
  ['signHost', both('JDCLOUD_STS_SIGN_HOST')],
  ['timeZone', both('JDCLOUD_STS_TIME_ZONE')],
  ['maxSessionSeconds', { jdcloud: 'JDCLOUD_MAX_SESSION_SECONDS', 'aws-sts': 'AWS_STS_MAX_SESSION_SECONDS' }],
  ['allowPlaintext', both('AWS_STS_ALLOW_PLAINTEXT')],
  ['accessKey', { jdcloud: 'JDCLOUD_ACCESS_KEY', 'aws-sts': 'AWS_STS_ACCESS_KEY' }],
  ['secretKey', { jdcloud: 'JDCLOUD_SECRET_KEY', 'aws-sts': 'AWS_STS_SECRET_KEY' }],
  ['keyCreated', { jdcloud: 'JDCLOUD_KEY_CREATED', 'aws-sts': 'AWS_STS_KEY_CREATED' }],
  ['accessKeyFile', { jdcloud: 'JDCLOUD_ACCESS_KEY_FILE', 'aws-sts': 'AWS_STS_ACCESS_KEY_FILE' }],
  ['secretKeyFile', { jdcloud: 'JDCLOUD_SECRET_KEY_FILE', 'aws-sts': 'AWS_STS_SECRET_KEY_FILE' }],
])
const NAMES = ['name', ...FIELDS.keys()]

/** Where an operator finds a field of a target: its variable, or its place in the targets file. */
export const targetSetting = (
  field: TargetField,
  { name, kind, fromFile }: Readonly<{ name: string; kind: SourceConfig['kind']; fromFile: boolean }>,
): string => (fromFile ? `${field} of ${name} in TARGETS_FILE` : (FIELDS.get(field)?.[kind] ?? field))

/** Whether a setting describes a single target, so that `TARGETS_FILE` replaces it. */
export const isOfOneTarget = (name: string): boolean => Object.hasOwn(OF_ONE_TARGET, name)

/**
 * The targets of the file, or the one of the variables. Reports faults and leaves out faulty targets.
 * @param values as `readEnvironment` reads them
 */
export function readTargets(
  env: Environment,
  { values, secretFiles }: ReturnType<typeof readEnvironment>,
  report: ReportFault,
  sandbox: boolean,
): readonly TargetConfig[] {
  const file = values.TARGETS_FILE
  if (file === undefined) {
    checkTarget(values, report, sandbox)
    const target = targetOf(ONLY_TARGET, values, secretFiles)
    return target ? [target] : []
  }
  for (const [name, setting] of Object.entries(OF_ONE_TARGET)) {
    const given = setting.secret && env[`${name}_FILE`] ? `${name}_FILE` : name
    // .env.example sets the defaults.
    if (!env[given] || env[given] === setting.default) continue
    report(given, 'must not be set beside TARGETS_FILE', 'move it into the file or unset TARGETS_FILE')
  }
  return readFile(file, { report, sandbox })
}

/** The targets of a file for the checks of templates, with placeholders for keys. Reads no secret. */
export const readTargetsWithoutKeys = (file: string, report: ReportFault): readonly TargetConfig[] =>
  readFile(file, { report, sandbox: true, withoutKeys: true })

/** The target of the variables, with placeholders for its keys. Reads no secret. */
export function readTargetWithoutKeys(env: Environment, report: ReportFault): TargetConfig | undefined {
  const kind = sourceOf({ source: env.CREDENTIAL_SOURCE ?? '' })
  const keys = Object.entries(NO_KEYS).flatMap(([field, value]) => {
    const name = FIELDS.get(field)?.[kind]
    return name === undefined ? [] : [[name, value]]
  })
  const { values, secretFiles } = readEnvironment({ ...env, ...Object.fromEntries(keys) }, report, isOfOneTarget)
  checkTarget(values, report, true)
  return targetOf(ONLY_TARGET, values, secretFiles)
}

function targetOf(
  name: string,
  values: ReadSettings,
  files: Readonly<Record<string, string>>,
): TargetConfig | undefined {
  const source = readSource(values)
  const { OSS_REGION: region, OSS_BUCKET: bucket } = values
  if (!source || region === undefined || bucket === undefined) return undefined
  const [accessKey, secretKey] = ['accessKey', 'secretKey'].map((field) => {
    const variable = FIELDS.get(field)?.[source.kind]
    return variable === undefined ? undefined : files[variable]
  })
  const endpoint = values.OSS_ENDPOINT ?? `https://s3.${region}.jdcloud-oss.com`
  return {
    name,
    sts: source,
    oss: { account: source.account, region, endpoint, bucket },
    keyFiles: { ...(accessKey !== undefined && { accessKey }), ...(secretKey !== undefined && { secretKey }) },
  }
}

const listSchema = z.array(z.unknown()).min(1)
const entrySchema = z.record(z.string(), z.string())
const nameSchema = z.string().regex(TARGET_NAME)

type Reading = Readonly<{ report: ReportFault; sandbox: boolean; withoutKeys?: boolean }>

function readFile(path: string, reading: Reading): readonly TargetConfig[] {
  const { report } = reading
  const content = readList(path)
  if (content === undefined) {
    const remedy = 'check the path, its permissions and its syntax'
    report('TARGETS_FILE', 'must name a readable YAML or JSON file', remedy)
    return []
  }
  const entries = listSchema.safeParse(content)
  if (!entries.success) {
    report('TARGETS_FILE', 'must hold a list of at least one target', 'start each entry with "- name: …"')
    return []
  }
  const all = entries.data.map((entry, index) => {
    const fields = entrySchema.safeParse(entry).data
    return { at: `TARGETS_FILE[${index}]`, fields, name: nameSchema.safeParse(fields?.name).data, entry }
  })
  const names = all.flatMap(({ name }) => name ?? [])
  if (new Set(names).size < names.length) {
    const remedy = 'templates could not tell two targets of one name apart'
    report('TARGETS_FILE', 'each name must appear only once', remedy)
  }
  return all.flatMap(({ at, fields, name, entry }) => {
    const remedy = 'see "Several targets" in docs/configuration.md'
    const given = typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? Object.keys(entry) : []
    // Neither a value nor the name of a field is quoted: {secretKey:hunter2} is a field named secretKey:hunter2.
    if (given.some((field) => !NAMES.includes(field))) {
      report(at, `has a field that is not one of ${NAMES.join(', ')}`, meantField(given, NAMES) ?? remedy)
    } else if (!fields) report(at, 'has the wrong form', remedy)
    else {
      if (name === undefined) report(`${at}.name`, 'must be 1 to 32 of a-z, 0-9 and -', 'give the target a short name')
      return readEntry(fields, { ...reading, at, name: name ?? '', directory: dirname(path) }) ?? []
    }
    return []
  })
}

type EntryContext = Reading & Readonly<{ at: string; name: string; directory: string }>

/** Reads an entry as the environment of a service with this target alone: the same rules and the same words. */
function readEntry(
  given: Readonly<Record<string, string>>,
  { at, name, directory, report, sandbox, withoutKeys = false }: EntryContext,
): TargetConfig | undefined {
  const fields = withoutKeys ? { ...given, ...NO_KEYS } : given
  const kind = sourceOf(fields)
  const env: Record<string, string> = {}
  const fieldOf = new Map<string, string>()
  for (const [field, { [kind]: variable }] of FIELDS) {
    fieldOf.set(variable, field)
    const value = fields[field]
    if (value) env[variable] = field.endsWith('File') ? resolve(directory, value) : value
  }
  const inWords = (words: string) => words.replace(/\b[A-Z][A-Z_]+\b/gu, (word) => fieldOf.get(word) ?? word)
  const reportHere: ReportFault = (variable, rule, remedy) =>
    report(
      `${at}.${fieldOf.get(variable) ?? variable}`,
      inWords(rule),
      remedy === CHECK_PATH ? 'the path is relative to the targets file' : inWords(remedy),
    )
  const { values, secretFiles } = readEnvironment(env, reportHere, isOfOneTarget)
  checkTarget(values, reportHere, sandbox)
  return targetOf(name, values, secretFiles)
}

const NO_KEYS = { accessKey: 'not-read', secretKey: 'not-read', accessKeyFile: '', secretKeyFile: '' }

const sourceOf = ({ source }: Readonly<Record<string, string>>) => (source === 'aws-sts' ? source : 'jdcloud')

/** Every scalar as its text, like a variable: an account that is written without quotes keeps its zeros. */
function readList(path: string): unknown {
  try {
    return parseYaml(readFileSync(path, 'utf8'), 'failsafe')
  } catch {
    return undefined
  }
}
