/**
 * The steps to a claim. Dots reach into nested objects (`realm_access.roles`). A step that contains dots stands in double
 * quotes (`"example.com/roles".admin`), and so does one with `|`, which starts a transform elsewhere. A name that starts
 * with `https://` or `http://`, as providers use, is one step. Undefined for anything else.
 */
export function parseClaim(text: string): readonly string[] | undefined {
  if (/^https?:\/\/[^"\s|]+$/u.test(text)) return [text]
  if (!/^(?:"[^"]+"|[^".\s|]+)(?:\.(?:"[^"]+"|[^".\s|]+))*$/u.test(text)) return undefined
  return [...text.matchAll(/"([^"]+)"|([^".]+)/gu)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** A claim in a message: in quotes, unless its own steps have some. */
export const quoteClaim = (claim: string): string => (claim.includes('"') ? claim : `"${claim}"`)

/** Follows own properties only, so that `constructor` and `__proto__` reach nothing. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) {
      return undefined
    }
    value = Reflect.get(value, step)
  }
  return value
}
