import { type Issuer, type IssuerValue, NONE } from '../identity/issuer.ts'
import type { EntryField, IssuerEntry } from '../identity/issuer-entry.ts'
import { strangersAt } from '../identity/preset.ts'
import { parseClaim } from '../lib/claim-path.ts'
import type { tokens } from './groups/tokens.ts'
import { readSources } from './issuer-keys.ts'
import { issuerValues } from './issuer-values.ts'
import type { ReadSettings } from './settings.ts'

/** The settings for tokens. */
export type TokenSettings = Pick<ReadSettings, keyof typeof tokens>

/** Reports a fault of one field of an entry. */
export type ReportField = (field: EntryField, rule: string, remedy: string) => void

/** A key as text, the field that it is from, and the file where it stands. */
export type GivenKey = Readonly<{ field: EntryField; text: string; file?: string }>
export type GivenKeys = Readonly<{ secret?: GivenKey; publicKey?: GivenKey; jwksFile?: GivenKey }>

type KeyField = 'secret' | 'secretFile' | 'publicKey' | 'publicKeyFile' | 'jwksFile'
/** An entry without its keys. `issuer` and `audience` are missing only where that is reported already. */
export type GivenProfile = Omit<IssuerEntry, KeyField | 'issuer' | 'audience'> &
  Readonly<{ issuer: IssuerEntry['issuer'] | undefined; audience: IssuerEntry['audience'] | undefined }>

export type ProfileContext = Readonly<{ defaults: TokenSettings; report: ReportField; sandbox: boolean }>

/** Claims that say something else than which user a token is for: all users would be one, or each token another. */
const NO_SUBJECTS: readonly string[] = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'typ', 'tid', 'scope', 'scp']
/** Claims that say something else than which app a token is for. */
const NO_AUDIENCES: readonly string[] = ['iss', 'sub', 'exp', 'nbf', 'iat', 'jti', 'typ', 'tid', 'token_use']

/** Makes an issuer of an entry. Undefined after a report. */
export function readProfile(profile: GivenProfile, keys: GivenKeys, context: ProfileContext): Issuer | undefined {
  const { defaults, report } = context
  const issuer = profile.issuer && issuerValues(profile.issuer, profile.tenants, report)
  const audience = profile.audience && readAudience(profile.audience, report)
  const claims = readClaims(profile, issuer, report)
  const discoverFrom = issuer === NONE ? undefined : issuer?.[0]?.iss
  const sources = readSources({ profile, keys, discoverFrom }, context)
  const optedOut = (['issuer', 'audience'] as const).filter((field) => profile[field]?.includes(NONE))
  const isShared = sources ? sources.some(({ origin }) => !isOwn(origin.kind)) : Object.keys(keys).length === 0
  if (isShared) {
    for (const field of optedOut) {
      report(field, 'none needs a secret or a public key, and no key set', 'key sets sign for other apps, too')
    }
  }
  if (!issuer || !audience || !claims || !sources || (isShared && optedOut.length > 0)) return undefined
  const strangers = strangersAt(profile.issuer ?? [], profile.subject)
  return {
    name: profile.name,
    issuer,
    audience,
    ...claims,
    ...(strangers && { strangers }),
    clockToleranceSeconds: profile.clockToleranceSeconds ?? defaults.JWT_CLOCK_TOLERANCE_SECONDS,
    ...(profile.allowedTypes && { allowedTypes: profile.allowedTypes }),
    ...(profile.maxTokenAgeSeconds !== undefined && { maxTokenAgeSeconds: profile.maxTokenAgeSeconds }),
    keys: sources,
  }
}

const isOwn = (kind: string) => kind === 'secret' || kind === 'public-key'

function readAudience(audience: readonly string[], report: ReportField): Issuer['audience'] | undefined {
  if (!audience.includes(NONE)) return audience
  if (audience.length === 1) return NONE
  report('audience', 'none must stand alone', 'name the audiences, or write none and nothing else')
  return undefined
}

/** By its path, as a name may stand in quotes. */
const isOneOf = (names: readonly string[], claim: string) => {
  const [name = '', ...deeper] = parseClaim(claim) ?? []
  return deeper.length === 0 && names.includes(name)
}

function readClaims(
  { audience, audienceClaim, subject, subjectType }: GivenProfile,
  issuer: readonly IssuerValue[] | typeof NONE | undefined,
  report: ReportField,
): Pick<Issuer, 'audienceClaim' | 'subject'> | undefined {
  const faults: Parameters<ReportField>[] = []
  if (audienceClaim !== undefined) {
    if (isOneOf(NO_AUDIENCES, audienceClaim)) {
      faults.push(['audienceClaim', 'must be a claim that names the app', 'such as client_id or azp'])
    }
    if (audience?.includes(NONE)) {
      faults.push(['audienceClaim', 'applies only to an audience', 'name the audience, or leave this out'])
    }
  }
  if (subject !== undefined && isOneOf(NO_SUBJECTS, subject)) {
    faults.push(['subject', 'must be a claim that names one user', 'such as sub, oid or userId'])
  }
  if (subject === undefined && new Set(issuer === NONE ? [] : issuer?.map(({ tenant }) => tenant)).size > 1) {
    const remedy = 'name a claim that no two tenants give to different users, such as oid'
    faults.push(['tenants', 'several tenants need a subject', remedy])
  }
  for (const fault of faults) report(...fault)
  if (faults.length > 0) return undefined
  return {
    audienceClaim: parseClaim(audienceClaim ?? 'aud') ?? [],
    subject: { path: parseClaim(subject ?? 'sub') ?? [], type: subjectType ?? 'text' },
  }
}
