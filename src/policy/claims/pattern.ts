import { type AST, RegExpParser, visitRegExpAST } from '@eslint-community/regexpp'
import { isSafePattern } from 'redos-detector'
import { z } from 'zod'

/** How many paths a matcher may try for one text; ordinary patterns need one or two. */
const MAX_SCORE = 50
/** Limits the analysis itself: a pattern that is undecided by then counts as dangerous. */
const MAX_STEPS = 2000
/**
 * Steps differ in length: some patterns of 50 characters take seconds. Counted in CPU time, because on a busy machine a
 * sound pattern would be called dangerous, and a reload or a start refused.
 */
const MAX_MS = 1000

const LIMITS = { maxScore: MAX_SCORE, maxSteps: MAX_STEPS, unicode: true, downgradePattern: false }

type Analyse = (
  source: string,
  limits: typeof LIMITS & { timeout: number },
) => Readonly<{ safe: boolean; error: string | null }>

/** A regular expression that must match the whole text: it is anchored at both ends. */
export const patternSchema = z
  .string()
  .min(1)
  .max(256)
  .meta({ format: 'regex' })
  .transform((source, context) => {
    try {
      // Checked alone first: `a)|(b` is valid only inside the group that anchors it, and would escape the anchors.
      new RegExp(source, 'u')
      return new RegExp(`^(?:${source})$`, 'u')
    } catch (error) {
      const why = error instanceof Error ? error.message.split(': ').at(-1)?.toLowerCase() : undefined
      context.addIssue({ code: 'custom', message: `is not a regular expression${why ? `: ${why}` : ''}` })
      return z.NEVER
    }
  })

/** Why a compiled pattern must not run: it can backtrack catastrophically, or cannot be analysed. Undefined if it may. */
export function dangerOf({ source }: RegExp, analyse: Analyse = isSafePattern): string | undefined {
  // The analysis ignores back references and misjudges lookarounds: V8 ran for seconds on "safe" ones.
  if (looksAround(source)) return 'it has a lookaround or a back reference, so nobody can tell how long it runs'
  try {
    for (let timeout = MAX_MS; ; timeout *= 2) {
      const before = process.cpuUsage()
      const { safe, error } = analyse(source, { ...LIMITS, timeout })
      if (safe) return undefined
      const { user, system } = process.cpuUsage(before)
      if (error !== 'timedOut' || user + system >= MAX_MS * 1000) break
    }
  } catch {
    // Such as a named group.
    return 'it has a construct that cannot be analysed, so nobody can tell how long it runs'
  }
  return 'some texts make it run for exponential time'
}

function looksAround(source: string): boolean {
  let found = false
  const refuse = () => {
    found = true
  }
  visitRegExpAST(parse(source), {
    onAssertionEnter: ({ kind }) => {
      if (kind === 'lookahead' || kind === 'lookbehind') refuse()
    },
    onBackreferenceEnter: refuse,
  })
  return found
}

/**
 * Upper bounds of a text that a pattern accepts: characters, bytes in UTF-8 (`Infinity` if unbounded), and bytes of its
 * widest character.
 */
export type PatternBounds = Readonly<{ characters: number; bytes: number; widest: number }>

const NOTHING: PatternBounds = { characters: 0, bytes: 0, widest: 0 }
const ANYTHING: PatternBounds = { characters: Infinity, bytes: Infinity, widest: 4 }

/** Bounds of the texts that a compiled pattern accepts, read from its structure: never too low. */
export function patternBounds({ source }: RegExp): PatternBounds {
  return boundsOf(parse(source))
}

/** Those `candidates` that can occur in a text which the pattern accepts, judged by its structure. */
export function acceptedCharacters({ source }: RegExp, candidates: readonly string[]): string[] {
  const atoms = [...new Set(atomsOf(parse(source)).map(({ raw }) => raw))].map((raw) => new RegExp(`^${raw}$`, 'u'))
  return candidates.filter((character) => atoms.some((atom) => atom.test(character)))
}

type Atom = AST.Character | AST.CharacterClass | AST.CharacterSet | AST.ExpressionCharacterClass
type Node = AST.Pattern | AST.Alternative | AST.Element | AST.QuantifiableElement

const parse = (source: string) => new RegExpParser().parsePattern(source, 0, source.length, { unicode: true })

function boundsOf(node: Node): PatternBounds {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.map(boundsOf).reduce(longest, NOTHING)
    case 'Alternative':
      return node.elements.map(boundsOf).reduce(together, NOTHING)
    case 'Quantifier': {
      const { characters, bytes, widest } = boundsOf(node.element)
      // 0 × ∞ is NaN.
      if (characters === 0 || node.max === 0) return NOTHING
      return { characters: characters * node.max, bytes: bytes * node.max, widest }
    }
    case 'Assertion':
      return NOTHING
    case 'Backreference':
      return ANYTHING
    default:
      return { characters: 1, bytes: bytesOf(node), widest: bytesOf(node) }
  }
}

const together = (a: PatternBounds, b: PatternBounds): PatternBounds => ({
  characters: a.characters + b.characters,
  bytes: a.bytes + b.bytes,
  widest: Math.max(a.widest, b.widest),
})

const longest = (a: PatternBounds, b: PatternBounds): PatternBounds => ({
  characters: Math.max(a.characters, b.characters),
  bytes: Math.max(a.bytes, b.bytes),
  widest: Math.max(a.widest, b.widest),
})

/** The UTF-8 length of an atom's widest character. */
function bytesOf(atom: Atom | AST.CharacterClassElement | AST.ClassRangesCharacterClassElement): number {
  switch (atom.type) {
    case 'Character':
      return Buffer.byteLength(String.fromCodePoint(atom.value))
    case 'CharacterClassRange':
      return bytesOf(atom.max)
    case 'CharacterClass':
      return atom.negate ? 4 : Math.max(0, ...atom.elements.map(bytesOf))
    case 'CharacterSet':
      return (atom.kind === 'digit' || atom.kind === 'word') && !atom.negate ? 1 : 4
    default:
      return 4
  }
}

function atomsOf(node: Node): Atom[] {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.flatMap(atomsOf)
    case 'Alternative':
      return node.elements.flatMap(atomsOf)
    case 'Quantifier':
      return node.max === 0 ? [] : atomsOf(node.element)
    case 'Assertion':
    case 'Backreference':
      return []
    default:
      return [node]
  }
}
