import { lowerBound } from './utf8-order.ts'

/** The keys to list. `after` excludes keys up to and including it. */
export type ListQuery = Readonly<{ prefix: string; delimiter: string; after: string; limit: number }>

/** A page of a list. `last` is the start of the next page, if there is one. */
export type Page = Readonly<{ keys: readonly string[]; commonPrefixes: readonly string[]; last: string | undefined }>

/**
 * Lists sorted keys. Keys with the delimiter after the prefix become one common prefix, which counts as one entry. If
 * `after` is a common prefix, a page ended with it, so the keys below it are done.
 */
export function listPage(sorted: readonly string[], { prefix, delimiter, after, limit }: ListQuery): Page {
  const keys: string[] = []
  const commonPrefixes: string[] = []
  let last: string | undefined
  let i = Math.max(lowerBound(sorted, prefix), lowerBound(sorted, after))
  if (after !== '' && sorted[i] === after) i++
  while (i < sorted.length) {
    const key = sorted[i] ?? ''
    if (!key.startsWith(prefix)) break
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const entry = end < 0 ? key : key.slice(0, end + delimiter.length)
    const isDone = after !== '' && entry === after
    if (!isDone && keys.length + commonPrefixes.length >= limit) {
      return { keys, commonPrefixes, last: limit === 0 ? undefined : last }
    }
    if (!isDone) {
      if (end < 0) keys.push(key)
      else commonPrefixes.push(entry)
      last = entry
    }
    i++
    if (end >= 0) while (sorted[i]?.startsWith(entry)) i++
  }
  return { keys, commonPrefixes, last: undefined }
}
