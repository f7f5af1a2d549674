import { hash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, parse as parsePath } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Targets } from '../grant/target.ts'
import { isAcceptable } from '../template/accept.ts'
import { type Finding, formatFinding, type Severity } from '../template/finding.ts'
import { describe, type Place, parseTemplate } from '../template/parse.ts'
import { TEMPLATE_NAME, type Template } from '../template/template.ts'
import { createBuckets, distinct, distinctBuckets } from './buckets.ts'
import { type ExampleOutcome, runExamples } from './examples.ts'
import { isTemplateFile } from './fingerprint.ts'
import { settle, staleAcceptances } from './lint/acceptance.ts'
import { lintForTargets } from './lint/lint.ts'
import { type LintSettings, type LintSubject, lintSubject } from './lint/rule.ts'
import { targetsOf } from './lint/unknown-target.ts'

const MAX_FILE_BYTES = 64 * 1024
/** Loading gives way to requests after this long, unless one template takes longer by itself. */
const TURN_MS = 10

export type Catalogue = ReadonlyMap<string, Template>

/** What templates are checked against: one target's settings, or those of each target by its name. */
export type CatalogueSettings = LintSettings | Targets<LintSettings>

/** One template file. No template if it does not parse; no outcomes if it has an error. */
export type TemplateFile = Readonly<{
  file: string
  name: string
  template?: Template
  /** Hash of its text, if it loads. */
  digest?: string
  findings: readonly Finding[]
  /** Its examples ran. */
  tested: boolean
  outcomes: readonly ExampleOutcome[]
}>

export type Inspection = Readonly<{
  files: readonly TemplateFile[]
  /** Findings of the files and of the directory itself. */
  findings: readonly Finding[]
}>

/** The outcome of a reload: the new templates, or why the old ones stay. */
export type Reload =
  | Readonly<{
      outcome: 'loaded'
      catalogue: Catalogue
      /** Identifies the texts of all templates: replicas with the same files have the same one. */
      version: string
      warnings: readonly Finding[]
      /** Errors that the templates accept with a reason. */
      accepted: readonly Finding[]
    }>
  | Readonly<{ outcome: 'refused'; errors: readonly Finding[] }>

/** Every error of a directory of templates. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError'
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    super(
      ['The policy templates cannot be used:', ...findings.map((finding) => `  ${formatFinding(finding)}`)].join('\n'),
    )
    this.findings = findings
  }
}

/**
 * Loads every template of a directory, with the linter's warnings and what the templates accept. One bad template fails
 * the whole directory.
 * @throws {CatalogueError} with every error
 */
export async function loadCatalogue(
  directory: string,
  settings: CatalogueSettings,
): Promise<Omit<Extract<Reload, { outcome: 'loaded' }>, 'outcome'>> {
  const { files, findings } = await inspectTemplates(directory, settings)
  const of = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted)
  const errors = of('error')
  if (errors.length > 0) throw new CatalogueError(errors)
  const catalogue = new Map(files.flatMap(({ name, template }) => (template ? [[name, template] as const] : [])))
  const version = hash('sha256', JSON.stringify(files.map(({ name, digest }) => [name, digest]))).slice(0, 12)
  return { catalogue, version, warnings: of('warning'), accepted: of('accepted') }
}

/**
 * Reads, parses and lints every template of a directory, and runs the examples. Errors become findings. Gives way to other
 * work between templates, so that a service goes on serving.
 */
export async function inspectTemplates(
  directory: string,
  settings: CatalogueSettings,
  onFile: (done: number, total: number) => void = () => {},
): Promise<Inspection> {
  const listed = await templateFiles(directory)
  if (!listed) return { files: [], findings: [fileFinding(directory, 'is not a readable directory')] }
  if (listed.length === 0) {
    return { files: [], findings: [fileFinding(directory, 'has no template (a .yaml, .yml or .json file)')] }
  }
  const looked: (TemplateFile & Readonly<{ pending: readonly Pending[] }>)[] = []
  const names = new Set<string>()
  const folders = createBuckets()
  let turn = performance.now()
  for (const { file, name } of listed) {
    // `locate` keeps the whole document alive, so it must not outlive this turn: there can be thousands of templates.
    const { locate, subjects = [], ...loaded } = await loadFile(file, name, names, settings)
    const collisions = distinct(subjects.flatMap(folders.add))
    const findings = [...loaded.findings, ...located(collisions, locate)]
    looked.push({ ...loaded, findings, pending: subjects.map((subject) => pending(subject, locate)) })
    names.add(name)
    onFile(looked.length, listed.length)
    if (performance.now() - turn > TURN_MS) {
      await nextTurn()
      turn = performance.now()
    }
  }
  const shared = folders.shared()
  // A template that does not load may be the one for which another accepts something.
  const complete = looked.every(({ pending }) => pending.length > 0)
  const files = looked.map(({ pending, ...file }): TemplateFile => {
    const [first] = pending
    if (!first) return file
    const { template } = first.subject
    const found = distinct(pending.flatMap(({ subject }) => shared(subject))).map((one) => settle(template, one))
    const stale = complete ? staleAcceptances(template, [...file.findings, ...found]) : []
    return { ...file, findings: [...file.findings, ...located([...found, ...stale], first.locate)] }
  })
  return { files, findings: files.flatMap(({ findings }) => findings) }
}

/** A template that waits for findings across the whole set. Keeps a few places, and not the document. */
type Pending = Readonly<{ subject: LintSubject; locate: Locate }>

function pending(subject: LintSubject, locate: Locate): Pending {
  const { template, resources } = subject
  const shared = resources.filter(({ key }) => !key.flat().some(({ kind }) => kind === 'jwt'))
  const paths = [...shared.map(({ path }) => path), ...Object.keys(template.accept).map((id) => ['accept', id])]
  const places = new Map(paths.map((path) => [path.join(), locate(path)]))
  const whole = locate([])
  return { subject, locate: (path) => places.get(path.join()) ?? whole }
}

type LoadedFile = TemplateFile &
  Readonly<{
    /**
     * For findings across templates, one for each bucket; missing if the template has an error that nobody can accept.
     */
    subjects?: readonly LintSubject[]
    locate: Locate
  }>

/** The template files of a directory, sorted; undefined if it cannot be read. */
async function templateFiles(directory: string): Promise<{ file: string; name: string }[] | undefined> {
  try {
    const entries = await readdir(directory)
    return entries
      .filter(isTemplateFile)
      .sort()
      .map((entry) => ({ file: join(directory, entry), name: parsePath(entry).name }))
  } catch {
    return undefined
  }
}

async function loadFile(
  file: string,
  name: string,
  names: ReadonlySet<string>,
  settings: CatalogueSettings,
): Promise<LoadedFile> {
  const unusable = (...findings: Finding[]): LoadedFile => ({
    file,
    name,
    findings,
    tested: false,
    outcomes: [],
    locate: () => ({ file }),
  })
  const refused = (message: string) => unusable(fileFinding(file, message))
  if (!TEMPLATE_NAME.test(name)) {
    return refused('its name must have 1 to 32 of a-z, 0-9 and -, because callers ask for it')
  }
  if (names.has(name)) return refused(`another file is already the template ${name}`)
  const text = await readText(file)
  if ('refusal' in text) return refused(text.refusal)
  const parsed = parseTemplate(file, name, text.text)
  if (parsed.findings) return unusable(...parsed.findings)

  const { template, locate } = parsed
  const bound = targetsOf(template, settings)
  if (bound.findings) return unusable(...located(bound.findings, locate))
  const { targets } = bound
  const subjects = distinctBuckets(targets).map((one) => lintSubject(template, one))
  const findings = located(lintForTargets(template, targets), locate)
  // The examples of a faulty template would fail for the same reason, and hide it.
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) {
    // Errors that can be accepted must not hide those across templates.
    const open = errors.every(({ rule }) => isAcceptable(rule)) && { subjects }
    return { file, name, template, ...open, findings, tested: false, outcomes: [], locate }
  }
  const outcomes = runExamples(template, settings)
  const digest = hash('sha256', text.text)
  const failed = outcomes.filter(({ held }) => !held).map((outcome) => ({ ...EXAMPLE_FAILS, ...outcome }))
  findings.push(...located(failed, locate))
  return { file, name, template, digest, subjects, findings, tested: true, outcomes, locate }
}

async function readText(file: string): Promise<{ text: string } | { refusal: string }> {
  try {
    const status = await stat(file)
    // A pipe or a device reports size 0, and then never ends.
    if (!status.isFile()) return { refusal: 'is not a readable file' }
    if (status.size > MAX_FILE_BYTES) return { refusal: `is larger than ${MAX_FILE_BYTES} bytes` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)) }
  } catch (error) {
    return { refusal: error instanceof TypeError ? 'is not UTF-8' : 'is not a readable file' }
  }
}

const EXAMPLE_FAILS = {
  rule: 'example-fails',
  severity: 'error',
  remedy: 'correct the template, or the example if that is wrong',
} as const

type Unlocated = Pick<Finding, 'rule' | 'severity' | 'message' | 'remedy' | 'reason'> & {
  path: readonly (string | number)[]
}
type Locate = (path: readonly PropertyKey[]) => Place

const located = (found: readonly Unlocated[], locate: Locate): Finding[] =>
  found.map(({ path, rule, severity, message, remedy, reason }) => ({
    ...locate(path),
    rule,
    severity,
    message: describe(path, message),
    ...(remedy !== undefined && { remedy }),
    ...(reason !== undefined && { reason }),
  }))

const fileFinding = (file: string, message: string): Finding => ({ file, rule: 'file', severity: 'error', message })
