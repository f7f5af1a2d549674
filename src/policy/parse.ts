import { isMap, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { type Template, templateSchema } from './template.ts'

/** Something that is wrong with a template file. Lines and columns count from 1; without them it is the file as such. */
export type TemplateFault = Readonly<{ file: string; line?: number; column?: number; message: string }>

/** A parsed file: its template, or all that is wrong with it; `at` finds the place of a path, for later checks. */
export type ParsedTemplate = Readonly<
  | { template: Template; faults?: never; at: (path: readonly PropertyKey[], message: string) => TemplateFault }
  | { template?: never; faults: readonly TemplateFault[] }
>

/**
 * Parses one template from YAML or JSON (which YAML contains). Strict: an unknown key, a key that stands twice, an
 * unknown tag and more than 32 expanded aliases are faults.
 */
export function parseTemplate(file: string, name: string, text: string): ParsedTemplate {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true })
  const problems = [...document.errors, ...document.warnings]
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  if (problems.length > 0) {
    return { faults: problems.map(({ pos, message }) => ({ file, ...place(pos[0]), message })) }
  }

  // zod drops `__proto__` from records without a word, and a condition of `allow` that is dropped is one that holds.
  const faults: TemplateFault[] = []
  const refuse = (node: unknown, message: string) => {
    faults.push({ file, ...place(rangeStart(node) ?? 0), message })
  }
  const anchors = new Set<string>()
  visit(document, {
    Pair(_, { key }) {
      if (keyOf(key) === '__proto__') refuse(key, '__proto__ cannot be used as a key')
    },
    Value(_, { anchor }) {
      if (anchor !== undefined) anchors.add(anchor)
    },
    Alias(_, alias) {
      if (!anchors.has(alias.source)) refuse(alias, `there is no anchor &${alias.source} before it`)
    },
  })
  if (faults.length > 0) return { faults }

  // A path that the file does not have (something is missing) is shown where its nearest parent starts.
  const at = (path: readonly PropertyKey[], message: string): TemplateFault => {
    for (let depth = path.length; depth >= 0; depth--) {
      const offset = offsetOf(document.contents, path.slice(0, depth))
      if (offset !== undefined) return { file, ...place(offset), message: describe(path, message) }
    }
    return { file, message: describe(path, message) }
  }

  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 32 })
  } catch {
    return { faults: [{ file, message: 'uses too many aliases' }] }
  }
  const parsed = templateSchema.safeParse(value)
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap(explain).map(({ path, message }) => at(path, message))
    return { faults: faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
  }
  return { template: Object.freeze({ name, ...parsed.data }), at }
}

function describe(path: readonly PropertyKey[], message: string): string {
  return path.length > 0 ? `${path.join('.')}: ${message}` : message
}

type Explained = { path: PropertyKey[]; message: string }

function explain(issue: z.core.$ZodIssue): Explained[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not a known key' }))
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path: issue.path, message }))
  }
  // A union reports every branch; the one that got furthest is the one that was meant.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? []
    if (depth(deepest) > 0) {
      return deepest.flatMap(explain).map(({ path, message }) => ({ path: [...issue.path, ...path], message }))
    }
  }
  return [{ path: issue.path, message: issue.message }]
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length))
}

/** Where a path starts in the text: at its key in a mapping, at its item in a list. */
function offsetOf(root: unknown, path: readonly PropertyKey[]): number | undefined {
  let node = root
  let offset = rangeStart(root)
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item.key) === String(step))
      offset = rangeStart(pair?.key)
      node = pair?.value
    } else {
      node = hasItems(node) ? node.items[Number(step)] : undefined
      offset = rangeStart(node)
    }
    if (offset === undefined) return undefined
  }
  return offset
}

const hasItems = (node: unknown): node is { items: unknown[] } =>
  typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)

const keyOf = (key: unknown): string | undefined =>
  typeof key === 'object' && key !== null && 'value' in key ? String(key.value) : undefined

const rangeStart = (node: unknown): number | undefined =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? node.range[0] : undefined
