import { z } from 'zod'
import { type EntryField, type IssuerEntry, issuerEntrySchema } from './issuer-entry.ts'
import { PROVIDERS, type Provider, type ProviderName } from './providers.ts'

const isProvider = (name: string): name is ProviderName => Object.hasOwn(PROVIDERS, name)

/** The names of all providers, for messages. */
export const PROVIDER_NAMES = Object.keys(PROVIDERS).filter(isProvider)

export const providerSchema = z.enum(PROVIDER_NAMES)

/** One entry as an operator writes it. What it leaves out, its provider can fill in. */
export const givenEntrySchema = issuerEntrySchema
  .partial({ issuer: true, audience: true })
  .extend({ provider: providerSchema.optional() })

export type GivenEntry = Readonly<z.output<typeof givenEntrySchema>>

/** A fault of one field of an entry. */
export type EntryFault = readonly [field: EntryField, rule: string, remedy: string]

/**
 * Fills in what an entry leaves out, as its provider does it. The operator's own fields win. Without a provider, nothing
 * is filled in.
 */
export function fillIn(given: GivenEntry): IssuerEntry | readonly EntryFault[] {
  const { provider: name, ...own } = given
  const provider: Provider = name === undefined ? { typicalClaims: {} } : PROVIDERS[name]
  const faults = faultsOf(own, provider)
  if (faults.length > 0) return faults
  const issuer = own.issuer ?? provider.issuer?.(own)
  const audience = own.audience ?? provider.fields?.audience
  if (!issuer || !audience) return [...(issuer ? [] : [missing('issuer')]), ...(audience ? [] : [missing('audience')])]
  const keys = hasKeys(own) ? {} : provider.keys?.(issuer[0] ?? '')
  return { ...provider.fields, ...keys, ...own, issuer: [...issuer], audience: [...audience] }
}

/** The values of `iss`, the operator's or the provider's. */
export const issuerOf = ({
  provider,
  ...own
}: Pick<GivenEntry, 'provider' | 'issuer' | 'tenants' | 'audience'>): readonly string[] => {
  const preset: Provider | undefined = provider === undefined ? undefined : PROVIDERS[provider]
  return own.issuer ?? preset?.issuer?.(own) ?? []
}

const missing = (field: EntryField): EntryFault => [
  field,
  'is required',
  'see "Several issuers" in docs/configuration.md',
]

type Own = Omit<GivenEntry, 'provider'>

const hasKeys = ({ secret, secretFile, publicKey, publicKeyFile, jwksUrl, jwksFile }: Own) =>
  [secret, secretFile, publicKey, publicKeyFile, jwksUrl, jwksFile].some((key) => key !== undefined)

function faultsOf(own: Own, { issuer, form, needs }: Provider): readonly EntryFault[] {
  const remedy = 'see docs/providers.md'
  if (needs && own.issuer === undefined) {
    const count = own[needs.field]?.length ?? 0
    if (count === 0 || (needs.one && count > 1)) return [[needs.field, `must be ${needs.what}`, remedy]]
  }
  if (form && own.issuer === undefined && !issuer) return [['issuer', `must look like ${form.example}`, remedy]]
  if (!form) return []
  const { pattern, example } = form
  const odd = own.issuer?.find((text) => !pattern.test(text))
  if (odd === undefined) return []
  const sameEnd = odd.endsWith('/') === example.endsWith('/')
  return [['issuer', `must look like ${example}`, sameEnd ? remedy : `mind the slash at its end; ${remedy}`]]
}

/**
 * Claims of an issuer as its provider makes them. Templates see as `sub` whatever claim `subject` names, which can be
 * anything.
 */
export function typicalClaims({
  provider,
  subject,
}: Pick<GivenEntry, 'provider' | 'subject'>): Provider['typicalClaims'] {
  if (provider === undefined) return {}
  const { typicalClaims, fields }: Provider = PROVIDERS[provider]
  if (subject === undefined || subject === (fields?.subject ?? 'sub')) return typicalClaims
  const { sub, ...others } = typicalClaims
  const named = Object.entries(others).find(([claim]) => claim === subject)?.[1]
  return named === undefined ? others : { ...others, sub: named }
}

/**
 * The claims that tell strangers apart, with a stranger's values, for an issuer whose tokens anyone can have. Undefined for
 * any other. By the `iss`, so that a GitLab of one's own is none, and the variables of a single issuer count as well.
 */
export function strangersAt(
  iss: readonly string[],
  subject: string | undefined,
): Readonly<Record<string, string>> | undefined {
  const all: readonly Provider[] = Object.values(PROVIDERS)
  const provider = all.find((one) => one.strangers && one.issuer?.({})?.some((text) => iss.includes(text)))
  if (!provider?.strangers) return undefined
  // Templates see as `sub` whatever claim `subject` names.
  const { sub, ...others } = provider.strangers
  const named = subject === undefined || subject === 'sub' ? sub : others[subject]
  return named === undefined ? others : { ...others, sub: named }
}
