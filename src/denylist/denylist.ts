import type { Denial } from '../config/deny-file.ts'
import type { Caller } from '../identity/caller.ts'

/** Where an entry is from: the file, or the list that replicas share in Redis. */
export type DenySource = 'file' | 'redis'

/** An entry in force, or one that was lifted, since when by the monotonic clock. */
export type Known = Readonly<{ denial: Denial; liftedAt?: number }>

/** An entry that refuses a caller. */
export type Found = Readonly<{ denial: Denial; source: DenySource }>

/** The entries in force. It is asked for each request, so an answer is one to four look-ups in memory. */
export type Denylist = Readonly<{
  /** The entry that refuses this caller. One of the person comes before one of the token. */
  find(caller: Pick<Caller, 'issuer' | 'subject' | 'claims'>): Found | undefined
  /**
   * The instant, by the monotonic clock, at which the caller was let in again. The store may have cut off older sessions,
   * so they are not handed out.
   */
  liftedAt(caller: Pick<Caller, 'issuer' | 'subject'>): number
  /** Takes all that a source knows in place of what it knew. */
  replace(source: DenySource, known: readonly Known[]): void
  /** Entries in force. */
  size(source: DenySource): number
}>

type Mark = Known & Readonly<{ source: DenySource }>
type OfIssuer = { whole?: Mark; readonly subjects: Map<string, Mark>; readonly tokens: Map<string, Mark> }

const NEVER = Number.NEGATIVE_INFINITY
const endOf = ({ liftedAt, denial }: Known) =>
  liftedAt === undefined ? (denial.until ?? Number.POSITIVE_INFINITY) : NEVER

/** @param now epoch milliseconds, which the ends of entries are compared with */
export function createDenylist({ now, monotonic }: Readonly<{ now: () => number; monotonic: () => number }>): Denylist {
  const sources = new Map<DenySource, readonly Known[]>()
  let byIssuer: ReadonlyMap<string, OfIssuer> = new Map()

  const inForce = (mark: Known | undefined) => mark !== undefined && endOf(mark) > now()

  return {
    find({ issuer, subject, claims }) {
      const of = byIssuer.get(issuer)
      if (!of) return undefined
      const marks = [of.whole, of.subjects.get(subject), of.tokens.get(tokenId(claims))]
      return marks.find(inForce)
    },
    liftedAt({ issuer, subject }) {
      const of = byIssuer.get(issuer)
      if (!of) return NEVER
      const ends = [of.whole, of.subjects.get(subject)].map((mark) => {
        if (!mark || inForce(mark)) return NEVER
        // An entry that has ended by its date was lifted then.
        return mark.liftedAt ?? monotonic() - (now() - (mark.denial.until ?? 0))
      })
      return Math.max(...ends)
    },
    replace(source, known) {
      sources.set(source, known)
      byIssuer = indexOf([...sources].flatMap(([source, known]) => known.map((one) => ({ ...one, source }))))
    },
    size: (source) => sources.get(source)?.filter(inForce).length ?? 0,
  }
}

/** RFC 7519 has a text for `jti`. A number is taken for its digits: an entry must not miss a token by its type. */
function tokenId({ jti }: Caller['claims']): string {
  return typeof jti === 'string' || typeof jti === 'number' ? String(jti) : ''
}

function indexOf(marks: readonly Mark[]): ReadonlyMap<string, OfIssuer> {
  const index = new Map<string, OfIssuer>()
  for (const mark of marks) {
    const { by, issuer, name } = mark.denial
    const of: OfIssuer = index.get(issuer) ?? { subjects: new Map(), tokens: new Map() }
    index.set(issuer, of)
    if (by === 'issuer') of.whole = stricter(of.whole, mark)
    else {
      const names = by === 'subject' ? of.subjects : of.tokens
      names.set(name, stricter(names.get(name), mark))
    }
  }
  return index
}

/** Of two entries for one name, the one that ends later; of two that were lifted, the later. */
function stricter(one: Mark | undefined, other: Mark): Mark {
  if (!one) return other
  if (endOf(one) !== endOf(other)) return endOf(one) > endOf(other) ? one : other
  return (one.liftedAt ?? NEVER) > (other.liftedAt ?? NEVER) ? one : other
}
