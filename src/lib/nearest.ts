import leven from 'leven'

/** More edits than this make another word, not a typing error. */
const MAX_EDITS = 2

/** The candidate that is closest to a mistyped word, ignoring case. None is, if more than two edits or half the word differ. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const most = Math.min(MAX_EDITS, Math.floor(word.length / 2))
  const [best] = [...candidates]
    .map((candidate) => ({
      candidate,
      edits: leven(word.toLowerCase(), candidate.toLowerCase(), { maxDistance: MAX_EDITS + 1 }),
    }))
    .filter(({ edits }) => edits <= most)
    .toSorted((a, b) => a.edits - b.edits)
  return best?.candidate
}
