/** Whose `sub` names a person; every other claim may be one that several people have. */
export const SUBJECT = 'sub'

/**
 * The steps that lead to a claim. Dots reach into nested objects (`realm_access.roles`); a step that has dots of its own
 * stands in double quotes (`"example.com/roles".admin`), and a name that starts with `https://` or `http://`, as
 * providers use for claims of their own, is one step without quotes. Undefined for anything else.
 */
export function parseClaim(text: string): readonly string[] | undefined {
  if (/^https?:\/\/[^"\s]+$/u.test(text)) return [text]
  if (!/^(?:"[^"]+"|[^".\s]+)(?:\.(?:"[^"]+"|[^".\s]+))*$/u.test(text)) return undefined
  return [...text.matchAll(/"([^"]+)"|([^".]+)/gu)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** Follows own properties only, so that `constructor` or `__proto__` never reaches anything. */
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

/** Whether two paths name one claim. */
export const sameClaim = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((step, index) => step === b[index])
