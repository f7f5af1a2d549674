import { sameClaim } from '../claims/claim.ts'
import { isLossy, type NamedClaim, parseNamedClaim } from '../claims/transform.ts'
import { oneOrMany } from '../language/document.ts'

/** Claims that several people have in common on purpose; `email|domain` names what a lossy transform makes of one. */
export const sharedBySchema = oneOrMany.transform((texts, context) =>
  texts.map((text): NamedClaim => {
    const named = parseNamedClaim(text)
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if ('fault' in named) {
      refuse(named.fault)
      return { claim: text, path: [] }
    }
    if (named.transform && !isLossy(named.transform))
      refuse(`${named.transform} keeps values apart: write ${named.claim}`)
    return named
  }),
)

/**
 * Whether a template says that people share what this claim names. Naming a claim covers its hash, which keeps its values
 * apart, but not its lower case or its domain, which more people have in common.
 */
export const isDeclaredShared = (sharedBy: readonly NamedClaim[], { path, transform }: NamedClaim): boolean =>
  sharedBy.some((one) => sameClaim(one.path, path) && one.transform === (isLossy(transform) ? transform : undefined))
