import { allowedIssuers } from '../../claims/allow.ts'
import { claimAt, parseClaim, sameClaim } from '../../claims/claim.ts'
import { claimText } from '../../claims/transform.ts'
import { writeAtom } from '../../template/shape.ts'
import { exampleCaller } from '../examples.ts'
import type { LintSubject, Rule } from './rule.ts'

/** `${jwt:sub}` for Kubernetes' `system:serviceaccount:ns:name`: every vend would be refused with `unsafe_value`. */
export const unsafeClaim: Rule = {
  id: 'unsafe-claim',
  severity: 'warning',
  remedy: 'write ${jwt:<claim>|hash}, which takes any text',
  *check(subject) {
    for (const { path, key } of subject.resources) {
      for (const atom of key.flat()) {
        if (atom.kind !== 'jwt' || atom.param !== undefined) continue
        const refused = knownValues(subject, atom.path).find(
          ({ value, issuer }) => value !== undefined && claimText(value, atom.transform, issuer) === undefined,
        )
        if (!refused) continue
        yield {
          path,
          message: `${writeAtom(atom)} refuses callers of ${refused.issuer} with values such as ${JSON.stringify(refused.value)}`,
          remedy: `write \${jwt:${atom.claim}|hash}, which takes any text`,
        }
      }
    }
  },
}

type Known = Readonly<{ issuer: string; value: unknown }>

/** Values that the claim has: in examples that open something, and as each issuer's provider makes them. */
function knownValues({ template, settings }: LintSubject, path: readonly string[]): Known[] {
  const callers = template.examples
    .filter(({ can }) => can.length > 0)
    .map((example) => exampleCaller(template, example, settings.issuers))
  const typical = allowedIssuers(template, settings.issuers).flatMap((issuer) =>
    Object.entries(settings.typicalClaims?.[issuer] ?? {}).flatMap(([claim, value]): Known[] =>
      sameClaim(parseClaim(claim) ?? [], path) ? [{ issuer, value }] : [],
    ),
  )
  return [...typical, ...callers.map(({ issuer, claims }) => ({ issuer, value: claimAt(claims, path) }))]
}
