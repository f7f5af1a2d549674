import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, parse as parsePath } from 'node:path'
import { failingExamples } from './examples.ts'
import type { GrantSettings } from './grant.ts'
import { parseTemplate, type TemplateFault } from './parse.ts'
import { resourceFaults } from './resources.ts'
import { separatesIssuers } from './separation.ts'
import { TEMPLATE_NAME, type Template } from './template.ts'
import type { Part } from './variables.ts'

/** A larger file is not a template. */
const MAX_FILE_BYTES = 64 * 1024

/** The templates of a directory, by name. */
export type Catalogue = ReadonlyMap<string, Template>

/** What a directory of templates is checked against: the settings of every grant, and the issuers there are. */
export type CatalogueSettings = GrantSettings & Readonly<{ issuers: readonly string[] }>

/** All that is wrong with a directory of templates, told at once. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError'
  readonly faults: readonly TemplateFault[]

  constructor(faults: readonly TemplateFault[]) {
    super(['The policy templates cannot be used:', ...faults.map((fault) => `  ${formatFault(fault)}`)].join('\n'))
    this.faults = faults
  }
}

/** `file:line:column: message`, which editors and terminals turn into a link. */
export function formatFault({ file, line, column, message }: TemplateFault): string {
  return [file, line, column]
    .filter((part) => part !== undefined)
    .join(':')
    .concat(`: ${message}`)
}

/**
 * Loads every `.yaml`, `.yml` and `.json` file of a directory and runs the examples in them. Nothing is left out: one
 * bad template fails the whole directory.
 * @throws {CatalogueError}
 */
export function loadCatalogue(directory: string, settings: CatalogueSettings): Catalogue {
  const templates = new Map<string, Template>()
  const faults: TemplateFault[] = []
  for (const { file, name } of templateFiles(directory)) {
    if (!TEMPLATE_NAME.test(name)) {
      faults.push({ file, message: 'its name must be 1 to 32 of a-z, 0-9 and -, because callers ask for it' })
    } else if (templates.has(name)) {
      faults.push({ file, message: `there is already a template called ${name}` })
    } else {
      const loaded = loadTemplate(file, name, settings)
      if ('faults' in loaded) faults.push(...loaded.faults)
      else templates.set(name, loaded)
    }
  }
  if (templates.size === 0 && faults.length === 0) {
    faults.push({ file: directory, message: 'has no template (a .yaml, .yml or .json file)' })
  }
  if (faults.length > 0) throw new CatalogueError(faults)
  return templates
}

function templateFiles(directory: string): { file: string; name: string }[] {
  try {
    return readdirSync(directory)
      .filter((entry) => /^[^.].*\.(?:ya?ml|json)$/u.test(entry))
      .sort()
      .map((entry) => ({ file: join(directory, entry), name: parsePath(entry).name }))
  } catch {
    throw new CatalogueError([{ file: directory, message: 'is not a readable directory' }])
  }
}

function loadTemplate(file: string, name: string, settings: CatalogueSettings): Template | { faults: TemplateFault[] } {
  let text: string
  try {
    const status = statSync(file)
    // A pipe or a device says that it is empty, and then never ends.
    if (!status.isFile()) return { faults: [{ file, message: 'is not a readable file' }] }
    if (status.size > MAX_FILE_BYTES) return { faults: [{ file, message: `is larger than ${MAX_FILE_BYTES} bytes` }] }
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    const why = error instanceof TypeError ? 'is not UTF-8' : 'is not a readable file'
    return { faults: [{ file, message: why }] }
  }
  const parsed = parseTemplate(file, name, text)
  if (parsed.faults) return { faults: [...parsed.faults] }
  const { template, at } = parsed
  const found = [...resourceFaults(template, settings), ...issuerFaults(template, settings.issuers)]
  const faults = found.map(({ path, message }) => at(path, message))
  // Examples of a template that is wrong in itself would fail for the same reason and hide it.
  if (faults.length === 0) {
    const defaultIssuer = settings.issuers[0] ?? ''
    faults.push(...failingExamples(template, settings, defaultIssuer).map(({ path, message }) => at(path, message)))
  }
  return faults.length > 0 ? { faults } : template
}

/** With several issuers, one value of a claim can be several people: a resource named after a claim must name the issuer too. */
function issuerFaults({ allow, params, statements }: Template, issuers: readonly string[]) {
  const faults: { path: (string | number)[]; message: string }[] = []
  for (const issuer of allow?.issuer ?? []) {
    if (!issuers.includes(issuer)) {
      faults.push({
        path: ['allow', 'issuer'],
        message: `no issuer called ${issuer} is configured (${issuers.join(', ')})`,
      })
    }
  }
  if ((allow?.issuer ?? issuers).length < 2) return faults
  for (const [index, { resources }] of statements.entries()) {
    const ambiguous = resources.some((parts) => parts.some(isClaim) && !separatesIssuers(parts, params))
    if (ambiguous) {
      faults.push({
        path: ['policy', 'Statement', index, 'Resource'],
        message:
          'several issuers may use this template, and a claim means something else at each: put ${issuer}/ before it, or name one issuer under allow',
      })
    }
  }
  return faults
}

const isClaim = (part: Part) => part.kind === 'jwt'
