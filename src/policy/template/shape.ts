import { SUBJECT, sameClaim } from '../claims/claim.ts'
import { HASH_CHARACTERS, HASH_FORM, isLossy, type NamedClaim, writeClaim } from '../claims/transform.ts'
import type { DateUnit } from './date.ts'
import type { Template } from './template.ts'
import type { Part } from './variables.ts'

/** The smallest piece of a resource: fixed text, a `*`, or a variable whose value differs between callers. */
export type Atom = Readonly<
  | { kind: 'text'; text: string }
  | { kind: 'wildcard' }
  | { kind: 'issuer' }
  /**
   * `param` chooses one of the claim's values. So it names a folder as the claim does, and every rule treats it as one.
   * `issuer` is there where the caller's issuer is known.
   */
  | ({ kind: 'jwt'; param?: string; issuer?: string } & NamedClaim)
  /** `spans`: its value may contain slashes. */
  | { kind: 'param'; name: string; spans: boolean }
  | { kind: 'date'; unit: DateUnit }
>

/** The atoms between two colons or slashes. */
export type Segment = readonly Atom[]

/** A resource, split at its colons and slashes: `jrn:<service>:<region>:<account>:<bucket>[/<key>]`. */
export type ResourceShape = Readonly<{
  service: Segment
  region: Segment
  account: Segment
  bucket: Segment
  /** Undefined for a bucket. */
  key: readonly Segment[] | undefined
}>

type Fixed = Readonly<{ account: string; bucket: string; region: string }>

/** Splits a resource, with the configured account, bucket and region filled in; undefined if it is not a JRN. */
export function shapeOf(parts: readonly Part[], params: Template['params'], fixed: Fixed): ResourceShape | undefined {
  const atoms = parts.flatMap((part): Atom[] => {
    switch (part.kind) {
      case 'literal':
        return splitWildcards(part.text)
      case 'issuer':
        return [{ kind: 'issuer' }]
      case 'jwt':
      case 'date':
        return [part]
      case 'param': {
        const { kind, oneOf } = params[part.name] ?? {}
        if (oneOf) return [{ kind: 'jwt', ...oneOf, param: part.name }]
        return [{ kind: 'param', name: part.name, spans: kind === 'path' }]
      }
      default:
        return splitWildcards(fixed[part.kind])
    }
  })
  const [scheme, service, region, account, ...rest] = splitAt(atoms, ':')
  const resource = rest.flatMap((piece, index): Atom[] =>
    index === 0 ? [...piece] : [{ kind: 'text', text: ':' }, ...piece],
  )
  if (textOf(scheme) !== 'jrn' || !service || !region || !account || resource.length === 0) return undefined
  const [bucket = [], ...key] = splitAt(resource, '/')
  return { service, region, account, bucket, key: key.length > 0 ? key : undefined }
}

/** The text of a segment; undefined if it has a wildcard or a variable. */
export function textOf(segment: Segment | undefined): string | undefined {
  if (!segment?.every((atom) => atom.kind === 'text')) return undefined
  return segment.map(({ text }) => text).join('')
}

/** Whether the token, the request or the day decides its value. */
export const isVariable = ({ kind }: Atom): boolean => kind !== 'text' && kind !== 'wildcard'

/** Whether its value names one person of an issuer: `sub` itself or its hash, which no second person has. */
export const namesCaller = (atom: Atom): boolean =>
  atom.kind === 'jwt' && sameClaim(atom.path, [SUBJECT]) && !isLossy(atom.transform) && atom.param === undefined

/** Whether it can match several segments. */
export const spansSlashes = (atom: Atom): boolean => atom.kind === 'wildcard' || (atom.kind === 'param' && atom.spans)

/** The length and the form of a variable whose values all have the same. */
export function fixedForm(atom: Atom | undefined): Readonly<{ length: number; form: RegExp }> | undefined {
  if (atom?.kind === 'date')
    return { length: atom.unit.length, form: new RegExp(`^${atom.unit.replace(/[a-z]/giu, '\\d')}$`, 'u') }
  return atom?.kind === 'jwt' && atom.transform === 'hash' ? { length: HASH_CHARACTERS, form: HASH_FORM } : undefined
}

/** An atom as text, such that two atoms with one text always have the same values. */
const identify = (atom: Atom): string => {
  if (atom.kind !== 'jwt') return writeAtom(atom)
  return [writeAtom(atom), ...(atom.param === undefined ? [] : atom.path), atom.issuer ?? ''].join('\0')
}

/** A segment as text, such that two segments with one text always have the same values. */
export const identifySegment = (segment: Segment): string => segment.map(identify).join('')

export function writeAtom(atom: Atom): string {
  switch (atom.kind) {
    case 'text':
      return atom.text
    case 'wildcard':
      return '*'
    case 'issuer':
      return '${issuer}'
    case 'jwt':
      return atom.param === undefined ? `\${jwt:${writeClaim(atom)}}` : `\${param:${atom.param}}`
    case 'date':
      return `\${date:${atom.unit}}`
    case 'param':
      return `\${param:${atom.name}}`
  }
}

/** Segments as a template writes them. */
export const writeSegments = (segments: readonly Segment[]): string =>
  segments
    .map((segment) => segment.map(writeAtom).join(''))
    .join('/')
    .replaceAll('}/${date:', '/')

function splitWildcards(text: string): Atom[] {
  return text
    .split(/(\*)/u)
    .filter((piece) => piece !== '')
    .map((piece) => (piece === '*' ? { kind: 'wildcard' } : { kind: 'text', text: piece }))
}

/** Splits fixed text alone: a value never contains a separator that counts. */
function splitAt(atoms: readonly Atom[], separator: ':' | '/'): Segment[] {
  const segments: Atom[][] = [[]]
  for (const atom of atoms) {
    if (atom.kind !== 'text') {
      segments.at(-1)?.push(atom)
      continue
    }
    for (const [index, text] of atom.text.split(separator).entries()) {
      if (index > 0) segments.push([])
      if (text !== '') segments.at(-1)?.push({ kind: 'text', text })
    }
  }
  return segments
}
