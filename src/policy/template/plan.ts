import { sameClaim } from '../claims/claim.ts'
import type { CompiledStatement } from './template.ts'
import type { Part } from './variables.ts'

/** A part whose value is known only when the template is filled in. */
export type Variable = Exclude<Part, { kind: 'literal' }>

/** Text with holes: a number is the index of the variable whose value goes there. */
export type Pieces = readonly (string | number)[]

/** A template made ready to be filled in: what is the same for every caller is done once, when it is loaded. */
export type Plan = Readonly<{
  /** Each variable once. */
  variables: readonly Variable[]
  /** The session policy as JSON text. No value has anything that JSON would escape. */
  policy: Pieces
  actions: readonly string[]
  resources: readonly Pieces[]
  /** What the keys start with that each object resource covers. */
  prefixes: readonly Pieces[]
  /** The claims that resources are named after, each once. */
  claims: readonly Extract<Part, { kind: 'jwt' }>[]
}>

/** Works out the plan of a template. */
export function createPlan(statements: readonly CompiledStatement[]): Plan {
  const variables: Variable[] = []
  const resources = statements.map((statement) => statement.resources.map((parts) => parts.map(pieceOf)))

  function pieceOf(part: Part): string | number {
    if (part.kind === 'literal') return part.text
    const known = variables.findIndex((other) => sameVariable(other, part))
    return known >= 0 ? known : variables.push(part) - 1
  }

  const all = resources.flat()
  return {
    variables,
    policy: merge(policyPieces(statements, resources)),
    actions: [...new Set(statements.flatMap(({ actions }) => actions))],
    resources: all,
    prefixes: all.flatMap((pieces) => prefixOf(pieces) ?? []),
    claims: variables.filter((variable) => variable.kind === 'jwt'),
  }
}

/** Puts the values into the holes. */
export function fill(pieces: Pieces, values: readonly string[]): string {
  let text = ''
  for (const piece of pieces) text += typeof piece === 'string' ? piece : values[piece]
  return text
}

function sameVariable(a: Variable, b: Variable): boolean {
  if (a.kind === 'jwt' && b.kind === 'jwt') return sameClaim(a.path, b.path)
  if (a.kind === 'param' && b.kind === 'param') return a.name === b.name
  return a.kind === b.kind
}

function* policyPieces(
  statements: readonly CompiledStatement[],
  resources: readonly Pieces[][],
): Generator<string | number> {
  yield '{"Version":"3","Statement":['
  for (const [index, { Sid, effect, actions }] of statements.entries()) {
    const head = JSON.stringify({ ...(Sid !== undefined && { Sid }), Effect: effect, Action: actions })
    yield `${index > 0 ? ',' : ''}${head.slice(0, -1)},"Resource":[`
    for (const [at, pieces] of (resources[index] ?? []).entries()) {
      yield at > 0 ? ',"' : '"'
      for (const piece of pieces) yield typeof piece === 'string' ? JSON.stringify(piece).slice(1, -1) : piece
      yield '"'
    }
    yield ']}'
  }
  yield ']}'
}

/** Neighbouring texts become one. */
function merge(pieces: Iterable<string | number>): Pieces {
  const merged: (string | number)[] = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    if (typeof piece === 'string' && typeof last === 'string') merged[merged.length - 1] = last + piece
    else merged.push(piece)
  }
  return merged
}

/** What stands between the bucket's `/` and the first `*`; undefined for a resource without a key. */
function prefixOf(pieces: Pieces): [Pieces] | undefined {
  const prefix: (string | number)[] = []
  let colons = 0
  let inKey = false
  for (const piece of pieces) {
    if (typeof piece === 'number') {
      if (inKey) prefix.push(piece)
      continue
    }
    let from = 0
    while (!inKey && from < piece.length) {
      const character = piece[from++]
      if (character === ':') colons++
      else if (character === '/' && colons >= 4) inKey = true
    }
    if (!inKey) continue
    const star = piece.indexOf('*', from)
    prefix.push(piece.slice(from, star < 0 ? undefined : star))
    if (star >= 0) break
  }
  return inKey ? [prefix] : undefined
}
