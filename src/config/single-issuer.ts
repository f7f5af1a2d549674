import type { Issuer } from '../identity/issuer.ts'
import type { EntryField } from '../identity/issuer-entry.ts'
import type { ReportFault } from './faults.ts'
import { readProfile, type TokenSettings } from './issuer-profile.ts'

/** The short name of the issuer that the single-issuer variables describe. */
export const ONLY_ISSUER = 'app'

/** The variables that say the same as fields of an entry in the issuers file. */
export const VARIABLES = {
  issuer: 'JWT_ISSUER',
  audience: 'JWT_AUDIENCE',
  audienceClaim: 'JWT_AUDIENCE_CLAIM',
  subject: 'JWT_SUBJECT_CLAIM',
  subjectType: 'JWT_SUBJECT_TYPE',
  algorithms: 'JWT_ALGORITHMS',
  secret: 'JWT_SECRET',
  secretEncoding: 'JWT_SECRET_ENCODING',
  publicKey: 'JWT_PUBLIC_KEY',
  jwksUrl: 'JWT_JWKS_URL',
  jwksOrigins: 'JWT_JWKS_ORIGINS',
  jwksMaxAgeSeconds: 'JWT_JWKS_MAX_AGE_SECONDS',
  jwksTimeoutMs: 'JWT_JWKS_TIMEOUT_MS',
  jwksMaxBytes: 'JWT_JWKS_MAX_BYTES',
  clockToleranceSeconds: 'JWT_CLOCK_TOLERANCE_SECONDS',
  allowedTypes: 'JWT_ALLOWED_TYPES',
  maxTokenAgeSeconds: 'JWT_MAX_TOKEN_AGE_SECONDS',
} as const satisfies Partial<Record<EntryField, keyof TokenSettings>>

const variableOf: Readonly<Partial<Record<EntryField, string>>> = VARIABLES

/** The issuer that the variables describe, as if they were an entry of a file. Reports its faults. */
export function readSingleIssuer(
  settings: TokenSettings,
  secretFiles: Readonly<Record<string, string>>,
  report: ReportFault,
  sandbox: boolean,
): Issuer[] {
  if (settings.JWT_PUBLIC_KEY !== undefined && settings.JWT_JWKS_URL !== undefined) {
    const rule = 'at most one of JWT_PUBLIC_KEY and JWT_JWKS_URL may be set'
    report('JWT_JWKS_URL', rule, 'keep the one that your issuer uses; JWT_SECRET may stand beside it')
    return []
  }
  const key = (field: 'secret' | 'publicKey') => {
    const text = settings[VARIABLES[field]]
    const file = secretFiles[VARIABLES[field]]
    return text !== undefined && { [field]: { field, text, ...(file !== undefined && { file }) } }
  }
  const given = {
    issuer: settings.JWT_ISSUER === undefined ? undefined : [settings.JWT_ISSUER],
    audience: settings.JWT_AUDIENCE,
    audienceClaim: settings.JWT_AUDIENCE_CLAIM,
    subject: settings.JWT_SUBJECT_CLAIM,
    subjectType: settings.JWT_SUBJECT_TYPE,
    algorithms: settings.JWT_ALGORITHMS,
    secretEncoding: settings.JWT_SECRET_ENCODING,
    jwksUrl: settings.JWT_JWKS_URL,
    jwksOrigins: settings.JWT_JWKS_ORIGINS,
    allowedTypes: settings.JWT_ALLOWED_TYPES,
    maxTokenAgeSeconds: settings.JWT_MAX_TOKEN_AGE_SECONDS,
  }
  const reportField = (field: EntryField, rule: string, remedy: string) =>
    report(variableOf[field] ?? 'JWT_ISSUERS_FILE', rule, remedy)
  const context = { defaults: settings, report: reportField, sandbox }
  const issuer = readProfile({ name: ONLY_ISSUER, ...given }, { ...key('secret'), ...key('publicKey') }, context)
  return issuer ? [issuer] : []
}
