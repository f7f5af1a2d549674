import leven from 'leven'

/** More edits than this make another word, not a typing error. */
const MAX_EDITS = 2

/** The candidate that is closest to a mistyped word, ignoring case; undefined when none is within two edits. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const [best] = [...candidates]
    .map((candidate) => ({
      candidate,
      edits: leven(word.toLowerCase(), candidate.toLowerCase(), { maxDistance: MAX_EDITS + 1 }),
    }))
    .filter(({ edits }) => edits <= MAX_EDITS)
    .toSorted((a, b) => a.edits - b.edits)
  return best?.candidate
}
