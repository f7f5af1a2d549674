import { allowedIssuers } from '../allow.ts'
import { SUBJECT, sameClaim } from '../claim.ts'
import { type Atom, isVariable, type Segment, spansSlashes, writeSegments } from '../shape.ts'
import type { LintResource, LintSubject, RuleFinding } from './rule.ts'

/**
 * What keeps templates apart from each other: `users/teams/${jwt:team}/*` of one is open to whoever is called `teams`, by
 * `users/${jwt:sub}/*` of another. Looked at over all templates, since a caller may ask for any of them.
 *
 * A resource without claims is left out: that is a folder which says that it is shared.
 */
export const COLLIDING_FOLDERS = {
  rule: 'colliding-folders',
  severity: 'error',
  remedy: 'start the folders of each kind with a name of their own: users/${jwt:sub}/*, teams/${jwt:team}/*',
} as const

/** A folder named after claims: whose it is, and the segments of its keys up to what stands for anything. */
type Folder = Readonly<{
  subject: LintSubject
  resource: LintResource
  /** Short names of the issuers whose callers can have it. */
  issuers: readonly string[]
  segments: readonly Segment[]
}>

/** The folders of the templates that have been looked at. */
export type Folders = Readonly<{
  /** Adds a template, and finds what of it somebody else's value opens too. Grows with its folders, not with all pairs. */
  add(subject: LintSubject): readonly RuleFinding[]
}>

/** No folders yet. */
export function createFolders(): Folders {
  const root = createNode()
  return {
    add: (subject) =>
      foldersOf(subject).flatMap((folder) => {
        const other = findCollision(root, folder, 0)
        if (!other) {
          insert(root, folder)
          return []
        }
        const where = other.subject === subject ? '' : ` of ${other.subject.template.name}`
        const message = `it can be the same folder as ${writeSegments(other.segments)}${where}, for two people`
        return [{ path: folder.resource.path, message }]
      }),
  }
}

function foldersOf(subject: LintSubject): Folder[] {
  const issuers = allowedIssuers(subject.template, subject.settings.issuers)
  return subject.resources.flatMap((resource) => {
    if (!resource.key.flat().some(({ kind }) => kind === 'jwt')) return []
    const end = resource.key.findIndex((segment) => segment.some(spansSlashes))
    const segments = (end < 0 ? resource.key : resource.key.slice(0, end + 1)).map((segment) =>
      withIssuer(segment, issuers),
    )
    return [{ subject, resource, issuers, segments }]
  })
}

/** Where a template is for one issuer, `${issuer}` is that name. */
const withIssuer = (segment: Segment, issuers: readonly string[]): Segment =>
  segment.map((atom) =>
    atom.kind === 'issuer' && issuers.length === 1 ? { kind: 'text', text: issuers[0] ?? '' } : atom,
  )

/** Folders by their segments. Those with a variable are kept apart: they may be anything that fits them. */
type Node = { fixed: Map<string, Node>; variable: Map<string, { segment: Segment; node: Node }>; ends: Folder[] }

const createNode = (): Node => ({ fixed: new Map(), variable: new Map(), ends: [] })

/** At most so many folders that end in one place are compared; alike ones tell nothing new. */
const MAX_ENDS = 8

function insert(root: Node, folder: Folder): void {
  let node = root
  for (const segment of folder.segments) {
    const key = writeSegments([segment])
    if (!segment.some((atom) => isVariable(atom) || atom.kind === 'wildcard')) {
      node = node.fixed.get(key) ?? addTo(node.fixed, key, createNode())
    } else {
      node = (node.variable.get(key) ?? addTo(node.variable, key, { segment, node: createNode() })).node
    }
  }
  const alike = node.ends.some(
    (other) => other.issuers.join() === folder.issuers.join() && sharing(other) === sharing(folder),
  )
  if (!alike && node.ends.length < MAX_ENDS) node.ends.push(folder)
}

const sharing = ({ subject }: Folder) => subject.template.sharedBy.map((claim) => claim.join('\0')).join('\u0001')

function addTo<V>(map: Map<string, V>, key: string, value: V): V {
  map.set(key, value)
  return value
}

/** Walks the folders that a folder can coincide with. `depth` segments are already known to fit. */
function findCollision(node: Node, folder: Folder, depth: number): Folder | undefined {
  const segment = folder.segments[depth]
  const open = segment?.some(spansSlashes) ?? false
  if (segment === undefined) return node.ends.find((other) => !sameOwner(other, folder))
  const nexts: { segment: Segment; node: Node }[] = [...node.variable.values()]
  const key = writeSegments([segment])
  if (segment.some((atom) => isVariable(atom) || atom.kind === 'wildcard')) {
    for (const [text, next] of node.fixed) nexts.push({ segment: [{ kind: 'text', text }], node: next })
  } else {
    const next = node.fixed.get(key)
    if (next) nexts.push({ segment, node: next })
  }
  for (const next of nexts) {
    if (!canBeAlike(segment, next.segment)) continue
    // A * takes whatever follows, on either side.
    const found =
      open || next.segment.some(spansSlashes)
        ? firstBelow(next.node, folder)
        : findCollision(next.node, folder, depth + 1)
    if (found) return found
  }
  return undefined
}

function firstBelow(node: Node, folder: Folder): Folder | undefined {
  const here = node.ends.find((other) => !sameOwner(other, folder))
  if (here) return here
  for (const next of [...node.fixed.values(), ...[...node.variable.values()].map(({ node }) => node)]) {
    const found = firstBelow(next, folder)
    if (found) return found
  }
  return undefined
}

/** Whether two segments can have the same text, as far as what is fixed at their ends tells. */
function canBeAlike(a: Segment, b: Segment): boolean {
  const fixedEnd = (segment: Segment, from: 'start' | 'end') => {
    const atom = segment.at(from === 'start' ? 0 : -1)
    return atom?.kind === 'text' ? atom.text : ''
  }
  const [startA, startB] = [fixedEnd(a, 'start'), fixedEnd(b, 'start')]
  const [endA, endB] = [fixedEnd(a, 'end'), fixedEnd(b, 'end')]
  return (startA.startsWith(startB) || startB.startsWith(startA)) && (endA.endsWith(endB) || endB.endsWith(endA))
}

/**
 * Whether two folders, where they coincide, are always the same person's, or a group's that shares one of them on
 * purpose: a claim that stands at the same place in both has one value then.
 */
function sameOwner(a: Folder, b: Folder): boolean {
  const common: Atom[] = []
  for (const [index, segment] of a.segments.entries()) {
    const other = b.segments[index]
    if (other && segment.some(isVariable) && writeSegments([segment]) === writeSegments([other]))
      common.push(...segment)
  }
  const issuers = new Set([...a.issuers, ...b.issuers])
  if (issuers.size > 1 && !common.some(({ kind }) => kind === 'issuer')) return false
  return owns(a, common) || owns(b, common)
}

function owns({ subject, segments }: Folder, common: readonly Atom[]): boolean {
  const isCommon = (path: readonly string[]) => common.some((atom) => atom.kind === 'jwt' && sameClaim(atom.path, path))
  if (isCommon([SUBJECT])) return true
  const claims = segments.flat().filter((atom) => atom.kind === 'jwt')
  return claims.every(
    ({ path }) => isCommon(path) && subject.template.sharedBy.some((shared) => sameClaim(shared, path)),
  )
}
