import { readFileSync } from 'node:fs'
import { nearest } from '../lib/nearest.ts'
import type { ReportFault } from './faults.ts'
import type { Setting } from './setting.ts'
import { type CompleteSettings, type ReadSettings, settings } from './settings.ts'

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

const all = Object.entries<Setting>(settings)
/** Variables that other programs read, too near to ours to be taken for typing errors. */
const OF_OTHERS = /^(?:ftps?|https?|no)_proxy$/iu
const isSet = (env: Environment, name: string) => Boolean(env[name] || env[`${name}_FILE`])

/** The settings, and the paths of the secrets in files. */
type Read = Readonly<{ values: ReadSettings; secretFiles: Readonly<Record<string, string>> }>

/**
 * Reads every setting, or those that `belongs` chooses; the others have their defaults. An empty variable counts as
 * unset. So does a faulty one after its report, so that one fault does not hide others.
 */
export function readEnvironment(env: Environment, report: ReportFault, belongs?: (name: string) => boolean): Read
// The compiler cannot see that each value comes from the schema of its own setting.
export function readEnvironment(
  env: Environment,
  report: ReportFault,
  belongs: (name: string) => boolean = () => true,
): { values: Record<string, unknown>; secretFiles: Record<string, string> } {
  const values: Record<string, unknown> = {}
  const secretFiles: Record<string, string> = {}
  for (const [name, setting] of all) {
    if (!belongs(name)) {
      values[name] = fallback(setting)
      continue
    }
    const file = setting.secret && env[`${name}_FILE`]
    if (file) secretFiles[name] = file
    values[name] = readSetting(name, setting, env, report)
  }
  return { values, secretFiles }
}

/** Whether every required setting is present. */
export function isComplete(values: ReadSettings): values is CompleteSettings {
  const given: Readonly<Record<string, unknown>> = values
  return all.every(([name, { required, source }]) => required !== true || source || given[name] !== undefined)
}

function readSetting(name: string, setting: Setting, env: Environment, report: ReportFault): unknown {
  const { schema, rule, remedy, source } = setting
  const file = setting.secret && env[`${name}_FILE`]
  const chosen = chosenSource(env)
  if (source && source !== chosen) {
    // .env.example sets the defaults of every source.
    const leftOver = file ? `${name}_FILE` : env[name] && env[name] !== setting.default ? name : undefined
    const rule = `must not be set without CREDENTIAL_SOURCE=${source}`
    if (leftOver && chosen) report(leftOver, rule, 'unset it, or choose this source')
    return fallback(setting)
  }
  const inline = env[name] || (setting.anyCase && env[name.toLowerCase()])
  if (inline && file) report(name, `must not be set beside ${name}_FILE`, 'keep one of the two')
  const given = inline || (file && contentOf(file, `${name}_FILE`, report))
  if (!given && !file && isRequired(setting, env)) report(name, `is required and ${rule}`, remedy)
  const parsed = given ? schema.safeParse(given) : undefined
  if (parsed?.success) return parsed.data
  if (parsed) report(name, rule, remedy)
  return fallback(setting)
}

const fallback = ({ default: text, schema }: Setting): unknown => (text === undefined ? undefined : schema.parse(text))

/** Undefined for an unknown source: only that is reported then, and no setting of a source. */
function chosenSource(env: Environment): Setting['source'] {
  const { schema, default: fallback } = settings.CREDENTIAL_SOURCE
  return schema.safeParse(env.CREDENTIAL_SOURCE || fallback).data
}

function isRequired({ required }: Setting, env: Environment): boolean {
  if (typeof required !== 'object') return required === true
  return 'unless' in required ? !isSet(env, required.unless) : isSet(env, required.with)
}

/** What helps with a file that cannot be read. */
export const CHECK_PATH = 'check the path and its permissions'

function contentOf(path: string, variable: string, report: ReportFault): string | undefined {
  try {
    const content = readFileSync(path, 'utf8').trim()
    if (content !== '') return content
    report(variable, 'must not name an empty file', 'write the secret into it')
  } catch {
    report(variable, 'must name a readable file', CHECK_PATH)
  }
  return undefined
}

/** Reports variables that are probably misspelled settings. Otherwise they would silently change nothing. */
export function reportMisspelt(env: Environment, report: ReportFault): void {
  const known = all.flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name]))
  for (const name of Object.keys(env)) {
    // Orchestrators set such variables for a service named oss-vend.
    if (!env[name] || name.length < 8 || name.startsWith('OSS_VEND_') || known.includes(name)) continue
    if (OF_OTHERS.test(name)) continue
    // Orchestrators also set AWS_REGION, which is near OSS_REGION and means something else.
    const family = name.startsWith('AWS_') ? known.filter((one) => one.startsWith('AWS_')) : known
    const meant = family.find((one) => one.startsWith(name) || name === `${one}_FILE`) ?? nearest(name, family)
    // WS_PROXY, MY_PROXY: too many names are near.
    if (meant !== undefined && meant !== 'NO_PROXY')
      report(name, 'is not a variable of this service', `did you mean ${meant}?`)
  }
}
