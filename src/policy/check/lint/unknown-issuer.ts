import type { Rule } from './rule.ts'

/** A template for an issuer that is not configured is for nobody, and its name is probably mistyped. */
export const unknownIssuer: Rule = {
  id: 'unknown-issuer',
  severity: 'error',
  remedy: 'use the short name that JWT_ISSUERS_FILE gives it; app, where there is one issuer',
  *check({ template: { allow }, settings: { issuers } }) {
    const terms = [
      { path: ['allow'], ...allow },
      ...(allow?.any ?? []).map((one, at) => ({ path: ['allow', 'any', at], ...one })),
    ]
    for (const { path, issuer = [] } of terms) {
      for (const [at, name] of issuer.entries()) {
        if (issuers.includes(name)) continue
        yield {
          path: [...path, 'issuer', at],
          message: `no issuer called ${name} is configured: there is ${issuers.join(', ')}`,
        }
      }
    }
  },
}
