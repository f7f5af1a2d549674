import { type Atom, fixedForm, type Segment, spansSlashes, writeSegments } from '../../template/shape.ts'

/** The fixed text at both ends of a segment, and its possible length: a value has at least one character. */
export type Edges = Readonly<{
  start: string
  end: string
  least: number
  most: number
  spans: boolean
  /** The form of all values between the ends. */
  form?: RegExp
  /** The issuer that is inside a hash between the ends. */
  hashedFor?: string | undefined
}>

export const edgesOfText = (text: string): Edges => ({
  start: text,
  end: text,
  least: text.length,
  most: text.length,
  spans: false,
})

export function edgesOf(segment: Segment): Edges {
  const isOther = ({ kind }: Atom) => kind !== 'text'
  const text = (from: number, to?: number) => writeSegments([segment.slice(from, to)])
  const first = segment.findIndex(isOther)
  if (first < 0) return edgesOfText(text(0))
  const [start, end] = [text(0, first), text(segment.findLastIndex(isOther) + 1)]
  const spans = segment.some(spansSlashes)
  const fixed = segment.filter(isOther).length === 1 ? fixedForm(segment[first]) : undefined
  if (fixed) {
    const length = start.length + fixed.length + end.length
    const [atom] = segment.slice(first)
    const hashedFor = atom?.kind === 'jwt' ? atom.issuer : undefined
    return { start, end, least: length, most: length, spans, form: fixed.form, hashedFor }
  }
  const least = spans ? start.length : start.length + 1 + end.length
  return { start, end, least, most: Number.POSITIVE_INFINITY, spans }
}

/** Whether two segments can have the same text, judged by their edges. */
export function canBeAlike(a: Edges, b: Edges): boolean {
  if (a.least > b.most || b.least > a.most) return false
  if (!a.start.startsWith(b.start) && !b.start.startsWith(a.start)) return false
  if (!canHaveForm(a, b) || !canHaveForm(b, a) || hashedApart(a, b)) return false
  // A segment that spans slashes ends in another one: x*y matches x/1/y.
  return a.spans || b.spans || a.end.endsWith(b.end) || b.end.endsWith(a.end)
}

/** Whether fixed text, if `b` is that, can be what stands between the ends of `a`. */
const canHaveForm = (a: Edges, b: Edges): boolean =>
  !a.form || b.most > b.start.length || a.form.test(b.start.slice(a.start.length, b.start.length - a.end.length))

/** Hashes of two issuers are never equal, so neither is the same text around each. */
const hashedApart = (a: Edges, b: Edges): boolean =>
  a.hashedFor !== b.hashedFor &&
  a.hashedFor !== undefined &&
  b.hashedFor !== undefined &&
  a.start === b.start &&
  a.end === b.end
