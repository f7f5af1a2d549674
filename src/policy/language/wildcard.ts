/**
 * Matches `text` against `pattern`, in which `*` matches any run of characters, `/` included. Nothing else is special: JD
 * Cloud OSS has neither `?` nor an escape for `*`.
 *
 * Remembers one star, so the worst case is O(pattern × text). A regular expression could backtrack exponentially on a
 * hostile key.
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

/** Matches a region or an account: JD Cloud documents a `*` for the whole of it, and nothing for a part. */
export const takesWhole = (pattern: string, value: string): boolean => pattern === '*' || pattern === value
