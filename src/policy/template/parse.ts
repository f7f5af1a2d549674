import { isMap, isNode, Lexer, LineCounter, parseDocument, visit } from 'yaml'
import type { Finding } from './finding.ts'
import { misplacedVariables, VARIABLE_AS_TEXT } from './misplaced.ts'
import { explainIssue, syntaxRemedy } from './schema-words.ts'
import { type Template, templateSchema } from './template.ts'

/** A place in a file, with the line itself. */
export type Place = Pick<Finding, 'file' | 'line' | 'column' | 'excerpt'>

/** A parsed file: its template or its findings. `locate` finds the place of a path, for later checks. */
export type ParsedTemplate = Readonly<
  | { template: Template; findings?: never; locate: (path: readonly PropertyKey[]) => Place }
  | { template?: never; findings: readonly Finding[] }
>

/** A file on one line must not fill a terminal. */
const MAX_EXCERPT = 160
const MAX_FINDINGS = 20
/** Far deeper than any template, and far below the limit of a stack. */
const MAX_DEPTH = 64

/**
 * Parses one template from YAML or JSON, which is a subset of YAML. Strict: unknown keys, duplicate keys, unknown tags and
 * more than 32 expanded aliases are errors. Reports only the first syntax error, since the others mostly follow from it.
 */
export function parseTemplate(file: string, name: string, text: string): ParsedTemplate {
  if (isDeep(text)) return { findings: [{ file, ...SYNTAX, message: 'is nested too deeply' }] }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true })
  const place = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    const start = lineCounter.lineStarts[line - 1] ?? 0
    const excerpt = text
      .slice(start, start + MAX_EXCERPT)
      .split(/\r?\n/u, 1)[0]
      ?.trimEnd()
    return { file, line, column: col, ...(excerpt && { excerpt }) }
  }
  const [problem] = [...document.errors, ...document.warnings]
  if (problem)
    return {
      findings: [
        { ...place(problem.pos[0]), ...SYNTAX, message: problem.message, remedy: syntaxRemedy(problem.message) },
      ],
    }

  // zod silently drops `__proto__` from records, and a condition of `allow` that is dropped is one that holds.
  const findings: Finding[] = []
  const refuse = (node: unknown, message: string) => {
    findings.push({ ...place(rangeStart(node) ?? 0), ...SYNTAX, message })
  }
  const anchors = new Set<string>()
  visit(document, {
    Pair(_, { key }) {
      if (keyOf(key) === '__proto__') refuse(key, '__proto__ cannot be used as a key')
    },
    Value(_, { anchor }) {
      if (anchor !== undefined) anchors.add(anchor)
    },
    Alias(_, alias, path) {
      if (path.some((node) => isNode(node) && 'anchor' in node && node.anchor === alias.source)) {
        refuse(alias, `*${alias.source} refers to itself`)
      } else if (!anchors.has(alias.source)) refuse(alias, `no anchor &${alias.source} stands before it`)
    },
  })
  if (findings.length > 0) return { findings }

  // A missing path is shown where its nearest parent starts.
  const locate = (path: readonly PropertyKey[]): Place => {
    for (let depth = path.length; depth >= 0; depth--) {
      const offset = offsetOf(document.contents, path.slice(0, depth))
      if (offset !== undefined) return place(offset)
    }
    return { file }
  }

  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 32 })
  } catch {
    return { findings: [{ file, ...SYNTAX, message: 'uses too many aliases' }] }
  }
  const parsed = templateSchema.safeParse(value)
  const misplaced = misplacedVariables(value)
  if (!parsed.success) {
    // The schema would call a misplaced variable an unknown key or a bad pattern, which hides the real fault.
    const issues = parsed.error.issues
      .flatMap((issue) => explainIssue(issue))
      .filter(({ path }) => !misplaced.some((other) => other.join('\0') === path.join('\0')))
      .map(({ path, message, remedy = SCHEMA.remedy }) => ({ ...SCHEMA, path, message, remedy }))
    const texts = misplaced.map((path) => ({ ...VARIABLE_AS_TEXT, path }))
    const findings = [...texts, ...issues].slice(0, MAX_FINDINGS).map(({ path, message, ...about }) => ({
      ...locate(path),
      ...about,
      message: describe(path, message),
    }))
    return { findings: findings.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
  }
  return { template: Object.freeze({ name, misplaced, ...parsed.data }), locate }
}

const SYNTAX = { rule: 'syntax', severity: 'error', remedy: 'correct the YAML or JSON' } as const
const SCHEMA = {
  rule: 'schema',
  severity: 'error',
  remedy: 'see docs/policies.md#the-language, or oss-vend policies schema',
} as const

/**
 * Whether a text could exhaust the stack of the parser, which recurses. Node cannot always catch that: the process dies if
 * a regular expression is compiled on an almost full stack. The lexer does not recurse.
 */
function isDeep(text: string): boolean {
  let open = 0
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') open++
    else if (token === ']' || token === '}') open--
    if (open > MAX_DEPTH) return true
  }
  return new RegExp(`(?:[-?:][ \\t]+){${MAX_DEPTH}}`, 'u').test(text)
}

/** A message after its path, as a template's author would write it. */
export function describe(path: readonly PropertyKey[], message: string): string {
  return path.length > 0 ? `${path.join('.')}: ${message}` : message
}

/** The offset of a path: its key in a mapping, its item in a list. */
function offsetOf(root: unknown, path: readonly PropertyKey[]): number | undefined {
  let node = root
  let offset = rangeStart(root)
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item.key) === String(step))
      offset = rangeStart(pair?.key)
      node = pair?.value
    } else {
      // One value may stand for a list of one.
      node = hasItems(node) ? node.items[Number(step)] : step === 0 ? node : undefined
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
