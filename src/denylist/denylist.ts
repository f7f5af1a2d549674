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

/**
 * What all sources say of one name: the entry that ends last, and when one was last lifted. Both are needed: an entry may
 * be lifted in Redis after another one ended in the file.
 */
type Name = Readonly<{ denied?: Found; liftedAt: number }>
type OfIssuer = { whole?: Name; readonly subjects: Map<string, Name>; readonly tokens: Map<string, Name> }

const NEVER = Number.NEGATIVE_INFINITY
const endOf = ({ denial }: Found) => denial.until ?? Number.POSITIVE_INFINITY

/** @param now epoch milliseconds, which the ends of entries are compared with */
export function createDenylist({ now, monotonic }: Readonly<{ now: () => number; monotonic: () => number }>): Denylist {
  const sources = new Map<DenySource, readonly Known[]>()
  let byIssuer: ReadonlyMap<string, OfIssuer> = new Map()

  const inForce = (found: Found | undefined) => found !== undefined && endOf(found) > now()

  return {
    find({ issuer, subject, claims }) {
      const of = byIssuer.get(issuer)
      if (!of) return undefined
      const names = [of.whole, of.subjects.get(subject), of.tokens.get(tokenId(claims))]
      return names.map((name) => name?.denied).find(inForce)
    },
    liftedAt({ issuer, subject }) {
      const of = byIssuer.get(issuer)
      if (!of) return NEVER
      const ends = [of.whole, of.subjects.get(subject)].map((name) => {
        if (!name || inForce(name.denied)) return NEVER
        // An entry that has ended by its date was lifted then.
        const ended = name.denied ? monotonic() - (now() - endOf(name.denied)) : NEVER
        return Math.max(ended, name.liftedAt)
      })
      return Math.max(...ends)
    },
    replace(source, known) {
      sources.set(source, known)
      byIssuer = indexOf([...sources].flatMap(([source, known]) => known.map((one) => ({ ...one, source }))))
    },
    size: (source) =>
      sources.get(source)?.filter(({ denial, liftedAt }) => liftedAt === undefined && inForce({ denial, source }))
        .length ?? 0,
  }
}

/** RFC 7519 has a text for `jti`. A number is taken for its digits: an entry must not miss a token by its type. */
function tokenId({ jti }: Caller['claims']): string {
  return typeof jti === 'string' || typeof jti === 'number' ? String(jti) : ''
}

function indexOf(known: readonly (Known & Readonly<{ source: DenySource }>)[]): ReadonlyMap<string, OfIssuer> {
  const index = new Map<string, OfIssuer>()
  for (const one of known) {
    const { by, issuer, name } = one.denial
    const of: OfIssuer = index.get(issuer) ?? { subjects: new Map(), tokens: new Map() }
    index.set(issuer, of)
    if (by === 'issuer') of.whole = withMore(of.whole, one)
    else {
      const names = by === 'subject' ? of.subjects : of.tokens
      names.set(name, withMore(names.get(name), one))
    }
  }
  return index
}

function withMore(
  name: Name = { liftedAt: NEVER },
  { denial, source, liftedAt }: Known & Readonly<{ source: DenySource }>,
): Name {
  if (liftedAt !== undefined) return { ...name, liftedAt: Math.max(name.liftedAt, liftedAt) }
  const found = { denial, source }
  return name.denied && endOf(name.denied) > endOf(found) ? name : { ...name, denied: found }
}
