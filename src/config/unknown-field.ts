import { nearest } from '../lib/nearest.ts'

/**
 * The remedy for the first unknown field that is near a known one. It quotes the known name alone: an unknown name can be
 * a secret, as in `{secret:hunter2}`, and only one of letters is a likely typing error.
 */
export function meantField(given: readonly string[], known: readonly string[]): string | undefined {
  for (const field of given) {
    if (known.includes(field) || !/^[A-Za-z]+$/u.test(field)) continue
    const meant = nearest(field, known)
    if (meant !== undefined) return `did you mean ${meant}?`
  }
  return undefined
}
