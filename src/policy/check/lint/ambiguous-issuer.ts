import { allowedIssuers } from '../../claims/allow.ts'
import { type ResourceShape, type Segment, spansSlashes } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** Two issuers can both have a user called alice, and they are two people. */
export const ambiguousIssuer: Rule = {
  id: 'ambiguous-issuer',
  severity: 'error',
  remedy: 'put ${issuer}/ before the claim, write ${jwt:sub|hash}, or name one issuer under allow',
  *check({ template, resources, settings }) {
    if (allowedIssuers(template, settings.issuers).length < 2) return
    for (const { path, shape, key } of resources) {
      const claim = key.flat().find((atom) => atom.kind === 'jwt')
      if (!shape || !claim || separatesIssuers(shape)) continue
      yield {
        path,
        message: `several issuers' users may use this template, and two of them can have the same ${claim.claim}: they would share a folder`,
      }
    }
  },
}

/**
 * Whether callers of two issuers can never share a key of this resource: one of its segments keeps them apart, and nothing
 * before it spans slashes (`*`, or a parameter of kind `path`).
 */
export function separatesIssuers({ bucket, key = [] }: ResourceShape): boolean {
  const segments = [bucket, ...key]
  const spans = segments.findIndex((segment) => segment.some(spansSlashes))
  return segments.slice(0, spans < 0 ? undefined : spans + 1).some((one) => isHashed(one) || startsWithIssuer(one))
}

/** The hash has a fixed length and the issuer inside, so fixed text around it changes nothing. */
const isHashed = (segment: Segment): boolean =>
  segment.filter((atom) => atom.kind !== 'text').length === 1 &&
  segment.some((atom) => atom.kind === 'jwt' && atom.transform === 'hash')

/** `${issuer}` starts the segment, and nothing continues the name. */
function startsWithIssuer(segment: Segment): boolean {
  const issuer = segment.findIndex(({ kind }) => kind === 'issuer')
  const next = segment[issuer + 1]
  // Issuer names are a-z, 0-9 and -, so any other character ends one. Right after it, a value could continue the name:
  // `${issuer}${jwt:sub}` is app1x for `1x` of `app` and for `x` of `app1`.
  const ends = next === undefined || (next.kind === 'text' && !/^[a-z0-9-]/u.test(next.text))
  const starts = segment.slice(0, issuer).every(({ kind }) => kind === 'text')
  return issuer >= 0 && ends && starts
}
