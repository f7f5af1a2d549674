import { allowedIssuers } from '../../claims/allow.ts'
import {
  type Atom,
  identifySegment,
  namesCaller,
  type Segment,
  spansSlashes,
  writeSegments,
} from '../../template/shape.ts'
import { canBeAlike, type Edges, edgesOf, edgesOfText } from './edges.ts'
import type { LintResource, LintSubject, RuleFinding } from './rule.ts'

/**
 * A user called `teams` opens `users/teams/${jwt:team}/*` of one template through `users/${jwt:sub}/*` of another. Checked
 * across all templates, since a caller may ask for any of them. A resource without variables is a shared folder, and is
 * left out.
 */
export const COLLIDING_FOLDERS = {
  rule: 'colliding-folders',
  severity: 'error',
  remedy: 'give each kind of folder a first name of its own: users/${jwt:sub}/*, teams/${jwt:team}/*',
} as const

/**
 * A shared folder that can be, or can contain, one person's: `users/*` opens every user's, and with `${jwt:sub}/*` beside
 * `handbook/*` a user called `handbook` writes what all the others read. The finding is about the shared folder, so only
 * that template can accept it.
 */
export const SHARED_AND_PERSONAL = {
  rule: 'shared-and-personal',
  severity: 'error',
  remedy: 'keep shared and personal folders apart: shared/* and users/${jwt:sub}/*',
} as const

/** A folder: who has it, and the segments of its keys up to the first that spans slashes. */
type Folder = Readonly<{
  subject: LintSubject
  resource: LintResource
  /** The issuer of its callers; a resource with `${issuer}` is one folder for each. */
  issuer: string
  written: readonly Segment[]
  /** With the issuer's name filled in. */
  segments: readonly Segment[]
}>

/** The folders of all templates that were added. */
export type Folders = Readonly<{
  /** Adds a template, and finds its folders that another caller can open too. */
  add(subject: LintSubject): readonly (RuleFinding & typeof COLLIDING_FOLDERS)[]
  /** The shared folders that open somebody's own, by template. Each is a finding: accepting one says nothing of others. */
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
          const message = `two people can have the same folder: this one and ${nameOf(other, subject)}`
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
        const message = `every caller of this template opens this folder, and it can be or contain one person's: ${nameOf(other, subject)}`
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
    // whole-bucket is a rule of its own.
    if (resource.key.length === 0 || resource.key[0]?.[0]?.kind === 'wildcard') return []
    const end = resource.key.findIndex((segment) => segment.some(spansSlashes))
    const written = end < 0 ? resource.key : resource.key.slice(0, end + 1)
    // Without a variable it belongs to everybody, whatever their issuer.
    const owners = written.flat().some(isOwner) ? issuers : ['']
    return owners.map((issuer) => {
      const segments = written.map((segment) =>
        segment.map((atom): Atom => {
          if (atom.kind === 'issuer') return { kind: 'text', text: issuer }
          return atom.kind === 'jwt' && atom.transform === 'hash' ? { ...atom, issuer } : atom
        }),
      )
      return { subject, resource, issuer, written, segments }
    })
  })
}

/** Whether its value says whose folder it is. */
const isOwner = ({ kind }: Atom) => kind === 'jwt' || kind === 'issuer'

/** Folders by their segments. Segments with a variable are kept apart, since they match many texts. */
type Node = { fixed: Map<string, Node>; variable: Map<string, { edges: Edges; node: Node }>; ends: Folder[] }

const createNode = (): Node => ({ fixed: new Map(), variable: new Map(), ends: [] })

function insert(root: Node, folder: Folder): void {
  let node = root
  for (const segment of folder.segments) {
    // Two templates can have a param of the same name, one of which spans slashes.
    const key = identifySegment(segment) + (segment.some(spansSlashes) ? '/' : '')
    if (isFixed(segment)) node = node.fixed.get(key) ?? addTo(node.fixed, key, createNode())
    else
      node = (node.variable.get(key) ?? addTo(node.variable, key, { edges: edgesOf(segment), node: createNode() })).node
  }
  // Equal folders tell nothing new, and those of several issuers have collided already: the list stays short.
  const id = (one: Folder) => `${one.issuer} ${writeSegments(one.written)}`
  if (!node.ends.some((other) => id(other) === id(folder))) node.ends.push(folder)
}

const isFixed = (segment: Segment) => segment.every(({ kind }) => kind === 'text')

function addTo<V>(map: Map<string, V>, key: string, value: V): V {
  map.set(key, value)
  return value
}

/** Walks the folders that can coincide with this one. The first `depth` segments are known to fit. */
function findCollision(node: Node, folder: Folder, depth: number): Folder | undefined {
  const segment = folder.segments[depth]
  if (segment === undefined) return node.ends.find((other) => !sameOwner(other, folder))
  const edges = edgesOf(segment)
  for (const next of nextsOf(node, segment)) {
    if (!canBeAlike(edges, next.edges)) continue
    // A segment that spans slashes takes everything below, on either side.
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

/**
 * Whether two folders always belong to the same person, or to a group that shares one on purpose, when they coincide: a
 * claim at the same place in both then has one value. Claims other than `sub` are on purpose, since `shared-folder`
 * refuses those that sharedBy does not name.
 */
function sameOwner(a: Folder, b: Folder): boolean {
  if (a.issuer !== b.issuer) return false
  // All users of the issuer share both.
  if (!isPersonal(a) && !isPersonal(b)) return true
  const common = a.written.flatMap((segment, index) => {
    const other = b.written[index]
    return other && identifySegment(segment) === identifySegment(other) ? segment : []
  })
  return owns(a, common) || owns(b, common)
}

function owns({ written }: Folder, common: readonly Atom[]): boolean {
  const names = new Set(common.map((atom) => identifySegment([atom])))
  const owners = written.flat().filter(isOwner)
  return (
    common.some(namesCaller) || (isPersonal({ written }) && owners.every((atom) => names.has(identifySegment([atom]))))
  )
}

/** Whether a claim names it, and not the issuer alone. */
const isPersonal = ({ written }: Pick<Folder, 'written'>) => written.flat().some(({ kind }) => kind === 'jwt')
