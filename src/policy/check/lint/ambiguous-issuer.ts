import { allowedIssuers } from '../../claims/allow.ts'
import { type ResourceShape, spansSlashes } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** Two issuers may both know an alice, and what a claim says is for its issuer to say. */
export const ambiguousIssuer: Rule = {
  id: 'ambiguous-issuer',
  severity: 'error',
  remedy: 'put ${issuer}/ before the claim, or name one issuer under allow',
  *check({ template, resources, settings }) {
    if (allowedIssuers(template, settings.issuers).length < 2) return
    for (const { path, shape, key } of resources) {
      const claim = key.flat().find((atom) => atom.kind === 'jwt')
      if (!shape || !claim || separatesIssuers(shape)) continue
      yield {
        path,
        message: `the callers of several issuers may use this template, and ${claim.claim} means something else at each: two people would share a folder`,
      }
    }
  },
}

/**
 * Whether the callers of two issuers can never share a key of this resource: `${issuer}` can be read back from every key,
 * because it starts a segment and nothing goes on with it, and because nothing before it (`*`, a parameter of kind
 * `path`) spans as many segments as a caller likes.
 */
export function separatesIssuers({ bucket, key = [] }: ResourceShape): boolean {
  const segments = [bucket, ...key]
  const at = segments.findIndex((segment) => segment.some(({ kind }) => kind === 'issuer'))
  const segment = segments[at] ?? []
  const issuer = segment.findIndex(({ kind }) => kind === 'issuer')
  const next = segment[issuer + 1]
  // Issuer names are a-z, 0-9 and -, so any other character ends one. A value right behind it could go on with the name:
  // `${issuer}${jwt:sub}` is the same for `app` with `1x` as for `app1` with `x`.
  const ends = next === undefined || (next.kind === 'text' && !/^[a-z0-9-]/u.test(next.text))
  const starts = segment.slice(0, issuer).every(({ kind }) => kind === 'text')
  return issuer >= 0 && ends && starts && !segments.slice(0, at).flat().some(spansSlashes)
}
