/**
 * Matches `text` against `pattern`, in which `*` stands for any run of characters, `/` included, and nothing else is
 * special: JD Cloud OSS honours neither `?` nor an escape for `*`.
 *
 * Greedy with one remembered star, so the worst case is O(pattern × text): a hostile key cannot make it backtrack
 * exponentially, as a translated regular expression could.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++
      resume = t
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++resume
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** Whether a pattern for a region or an account takes a value: JD Cloud documents a `*` for all of it, never for a part. */
export const takesWhole = (pattern: string, value: string): boolean => pattern === '*' || pattern === value
