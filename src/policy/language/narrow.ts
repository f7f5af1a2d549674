/**
 * The texts that match a pattern and start with `prefix`, as patterns: together they match exactly those. None if no text
 * does both. `prefix` has no `*`.
 *
 * A `*` can end anywhere inside of the prefix, so that there can be several: `a*b` with the prefix `ab` gives `ab*b` and `ab`.
 */
export function narrowToPrefix(pattern: string, prefix: string): string[] {
  /** Where in the pattern the next character may be matched. */
  let places = new Set([0])
  for (let i = 0; i < prefix.length; i++) {
    const next = new Set<number>()
    for (const place of places) step(pattern, place, prefix[i], next)
    places = fromLastStar(pattern, next)
  }
  return [...places].map((place) => prefix + pattern.slice(place))
}

/** What follows the last star matches all that follows an earlier one, so that few places are left. */
function fromLastStar(pattern: string, places: ReadonlySet<number>): Set<number> {
  let last = -1
  for (const place of places) if (pattern[place] === '*') last = Math.max(last, place)
  return new Set([...places].filter((place) => place >= last))
}

/** Adds the places that follow once the pattern has matched one more character from this place on. */
function step(pattern: string, place: number, character: string | undefined, next: Set<number>): void {
  let here = place
  while (pattern[here] === '*') next.add(here++)
  if (pattern[here] === character) next.add(here + 1)
}
