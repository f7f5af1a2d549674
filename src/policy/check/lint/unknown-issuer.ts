import type { Rule } from './rule.ts'

/** Nobody has tokens of an issuer that is not configured; its name is probably mistyped. */
export const unknownIssuer: Rule = {
  id: 'unknown-issuer',
  severity: 'error',
  remedy: 'use a short name from JWT_ISSUERS_FILE; the issuer of JWT_ISSUER is called app',
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
          message: `no issuer is called ${name}; configured: ${issuers.join(', ')}`,
        }
      }
    }
  },
}
