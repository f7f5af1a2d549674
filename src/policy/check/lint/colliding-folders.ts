import { allowedIssuers } from '../../claims/allow.ts'
import { SUBJECT, sameClaim } from '../../claims/claim.ts'
import { type Atom, type Segment, spansSlashes, writeAtom, writeSegments } from '../../template/shape.ts'
import type { LintResource, LintSubject, RuleFinding } from './rule.ts'

/**
 * What keeps templates apart from each other: `users/teams/${jwt:team}/*` of one is open to whoever is called `teams`, by
 * `users/${jwt:sub}/*` of another. Looked at over all templates, since a caller may ask for any of them.
 *
 * A resource without variables is left out: that is a folder which says that it is shared.
 */
export const COLLIDING_FOLDERS = {
  rule: 'colliding-folders',
  severity: 'error',
  remedy: 'start the folders of each kind with a name of their own: users/${jwt:sub}/*, teams/${jwt:team}/*',
} as const

/**
 * A folder for everybody that can be, or has in it, one that is one person's: `users/*` of operators opens every user's,
 * and with `${jwt:sub}/*` beside `handbook/*` a user called `handbook` writes what all of them read. It is told of the
 * folder for everybody, and that template alone may accept it: it is the one that opens a person's folder to others.
 */
export const SHARED_AND_PERSONAL = {
  rule: 'shared-and-personal',
  severity: 'error',
  remedy: 'give what everybody shares and what is personal folders of their own: shared/* and users/${jwt:sub}/*',
} as const

/** A folder named after callers: whose it is, and the segments of its keys up to what stands for anything. */
type Folder = Readonly<{
  subject: LintSubject
  resource: LintResource
  /** The issuer whose callers have it: a resource with `${issuer}` is a folder for each. */
  issuer: string
  written: readonly Segment[]
  /** With the name of the issuer filled in. */
  segments: readonly Segment[]
}>

/** The folders of the templates that have been looked at. */
export type Folders = Readonly<{
  /** Adds a template, and finds what of it somebody else's value opens too. Grows with its folders, not with all pairs. */
  add(subject: LintSubject): readonly (RuleFinding & typeof COLLIDING_FOLDERS)[]
  /**
   * The folders for everybody that open somebody's own, of all templates that were added. Each is looked at on its own:
   * that one of them is accepted says nothing of the others.
   */
  shared(): ReadonlyMap<LintSubject, readonly SharedFinding[]>
}>

type SharedFinding = RuleFinding & typeof SHARED_AND_PERSONAL

/** No folders yet. */
export function createFolders(): Folders {
  const personal = createNode()
  const shared: Folder[] = []
  return {
    add(subject) {
      const told = new Map<LintResource, RuleFinding & typeof COLLIDING_FOLDERS>()
      for (const folder of foldersOf(subject)) {
        if (!folder.written.flat().some(isOwner)) {
          shared.push(folder)
          continue
        }
        const other = findCollision(personal, folder, 0)
        if (!other) insert(personal, folder)
        else if (!told.has(folder.resource)) {
          const message = `it can be the same folder as ${nameOf(other, subject)}, for two people`
          told.set(folder.resource, { ...COLLIDING_FOLDERS, path: folder.resource.path, message })
        }
      }
      return [...told.values()]
    },
    shared() {
      const found = new Map<LintSubject, SharedFinding[]>()
      for (const folder of shared) {
        const other = findCollision(personal, folder, 0)
        if (!other) continue
        const { subject, resource } = folder
        const message = `everybody who may use this template opens it, and it can be the folder of one person: ${nameOf(other, subject)}`
        const finding = { ...SHARED_AND_PERSONAL, path: resource.path, message }
        found.set(subject, [...(found.get(subject) ?? []), finding])
      }
      return found
    },
  }
}

const nameOf = ({ subject, written }: Folder, seenFrom: LintSubject) =>
  writeSegments(written) + (subject === seenFrom ? '' : ` of ${subject.template.name}`)

function foldersOf(subject: LintSubject): Folder[] {
  const issuers = allowedIssuers(subject.template, subject.settings.issuers)
  return subject.resources.flatMap((resource) => {
    // A whole bucket is another rule's.
    if (resource.key.length === 0 || resource.key[0]?.[0]?.kind === 'wildcard') return []
    const end = resource.key.findIndex((segment) => segment.some(spansSlashes))
    const written = end < 0 ? resource.key : resource.key.slice(0, end + 1)
    // What has no variable is everybody's, whatever their issuer.
    const owners = written.flat().some(isOwner) ? issuers : ['']
    return owners.map((issuer) => {
      const segments = written.map((segment) =>
        segment.map((atom): Atom => (atom.kind === 'issuer' ? { kind: 'text', text: issuer } : atom)),
      )
      return { subject, resource, issuer, written, segments }
    })
  })
}

/** Whether it says whose a folder is. */
const isOwner = ({ kind }: Atom) => kind === 'jwt' || kind === 'issuer'

/** Folders by their segments. Those with a variable are kept apart: they may be anything that fits them. */
type Node = { fixed: Map<string, Node>; variable: Map<string, { edges: Edges; node: Node }>; ends: Folder[] }

const createNode = (): Node => ({ fixed: new Map(), variable: new Map(), ends: [] })

function insert(root: Node, folder: Folder): void {
  let node = root
  for (const segment of folder.segments) {
    // Two templates may have a param of one name, of which one spans slashes.
    const key = writeSegments([segment]) + (segment.some(spansSlashes) ? '/' : '')
    if (isFixed(segment)) node = node.fixed.get(key) ?? addTo(node.fixed, key, createNode())
    else
      node = (node.variable.get(key) ?? addTo(node.variable, key, { edges: edgesOf(segment), node: createNode() })).node
  }
  // Alike ones tell nothing new; and ones of several issuers would have collided, so that there are never many.
  const id = (one: Folder) => `${one.issuer} ${writeSegments(one.written)}`
  if (!node.ends.some((other) => id(other) === id(folder))) node.ends.push(folder)
}

const isFixed = (segment: Segment) => segment.every(({ kind }) => kind === 'text')

function addTo<V>(map: Map<string, V>, key: string, value: V): V {
  map.set(key, value)
  return value
}

/** Walks the folders that a folder can coincide with. `depth` segments are already known to fit. */
function findCollision(node: Node, folder: Folder, depth: number): Folder | undefined {
  const segment = folder.segments[depth]
  if (segment === undefined) return node.ends.find((other) => !sameOwner(other, folder))
  const edges = edgesOf(segment)
  for (const next of nextsOf(node, segment)) {
    if (!canBeAlike(edges, next.edges)) continue
    // What spans slashes takes whatever follows, on either side.
    const found =
      edges.spans || next.edges.spans ? firstBelow(next.node, folder) : findCollision(next.node, folder, depth + 1)
    if (found) return found
  }
  return undefined
}

function* nextsOf({ fixed, variable }: Node, segment: Segment): Generator<{ edges: Edges; node: Node }> {
  yield* variable.values()
  if (!isFixed(segment)) {
    for (const [text, node] of fixed) yield { edges: edgesOfText(text), node }
    return
  }
  const text = writeSegments([segment])
  const node = fixed.get(text)
  if (node) yield { edges: edgesOfText(text), node }
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

/** The fixed text at both ends of a segment, and how many characters it can have: a value has one at least. */
type Edges = Readonly<{ start: string; end: string; least: number; most: number; spans: boolean }>

const edgesOfText = (text: string): Edges => ({
  start: text,
  end: text,
  least: text.length,
  most: text.length,
  spans: false,
})

function edgesOf(segment: Segment): Edges {
  const isOther = ({ kind }: Atom) => kind !== 'text'
  const text = (from: number, to?: number) => writeSegments([segment.slice(from, to)])
  const first = segment.findIndex(isOther)
  if (first < 0) return edgesOfText(text(0))
  const [start, end] = [text(0, first), text(segment.findLastIndex(isOther) + 1)]
  const spans = segment.some(spansSlashes)
  const least = spans ? start.length : start.length + 1 + end.length
  return { start, end, least, most: Number.POSITIVE_INFINITY, spans }
}

/** Whether two segments can have the same text, as far as their edges tell. */
function canBeAlike(a: Edges, b: Edges): boolean {
  if (a.least > b.most || b.least > a.most) return false
  if (!a.start.startsWith(b.start) && !b.start.startsWith(a.start)) return false
  // What spans slashes ends in another segment: x*y has x/1/y.
  return a.spans || b.spans || a.end.endsWith(b.end) || b.end.endsWith(a.end)
}

/**
 * Whether two folders, where they coincide, are always the same person's, or a group's that shares one of them on
 * purpose: a claim that stands at the same place in both has one value then. Claims other than `sub` are there on
 * purpose: the linter has refused what sharedBy does not name.
 */
function sameOwner(a: Folder, b: Folder): boolean {
  if (a.issuer !== b.issuer) return false
  // Two folders that all users of an issuer share.
  if (!isPersonal(a) && !isPersonal(b)) return true
  const common = a.written.flatMap((segment, index) => {
    const other = b.written[index]
    return other && writeSegments([segment]) === writeSegments([other]) ? segment : []
  })
  return owns(a, common) || owns(b, common)
}

function owns({ written }: Folder, common: readonly Atom[]): boolean {
  const names = new Set(common.map(writeAtom))
  const owners = written.flat().filter(isOwner)
  return common.some(isSubject) || (isPersonal({ written }) && owners.every((atom) => names.has(writeAtom(atom))))
}

/** Whether it is named after a claim, and not after an issuer alone. */
const isPersonal = ({ written }: Pick<Folder, 'written'>) => written.flat().some(({ kind }) => kind === 'jwt')

const isSubject = (atom: Atom) => atom.kind === 'jwt' && sameClaim(atom.path, [SUBJECT])
