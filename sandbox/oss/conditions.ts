import type { Headers } from './request.ts'
import type { StoredObject } from './store.ts'

/** The result of a request's conditions: `unchanged` is 304 for a GET, `failed` is 412. */
export type Outcome = 'met' | 'unchanged' | 'failed'

/**
 * Evaluates the four conditional headers in RFC 9110's order: an entity tag overrides the date of the same kind. A
 * copy's headers have a `prefix`.
 */
export function evaluateConditions(headers: Headers, object: StoredObject, prefix = ''): Outcome {
  const header = (name: string) => headers.get(prefix + name)
  // Dates in headers have whole seconds.
  const modified = Math.floor(object.lastModified / 1000) * 1000

  const ifMatch = header('if-match')
  const ifUnmodifiedSince = parseHttpDate(header('if-unmodified-since'))
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, object.etag)) return 'failed'
  } else if (ifUnmodifiedSince !== undefined && modified > ifUnmodifiedSince) {
    return 'failed'
  }

  const ifNoneMatch = header('if-none-match')
  const ifModifiedSince = parseHttpDate(header('if-modified-since'))
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, object.etag) ? 'unchanged' : 'met'
  return ifModifiedSince !== undefined && modified <= ifModifiedSince ? 'unchanged' : 'met'
}

/** Whether a header's list of entity tags, quoted or not, contains this one. */
export function matchesEtag(list: string, etag: string): boolean {
  return list.split(',').some((item) => {
    const tag = item.trim()
    return tag === '*' || tag === etag || tag === `"${etag}"`
  })
}

/** An unreadable date is not a condition. */
function parseHttpDate(text: string | undefined): number | undefined {
  const epochMs = Date.parse(text ?? '')
  return Number.isNaN(epochMs) ? undefined : epochMs
}
