import { z } from 'zod'
import { parseClaim } from '../lib/claim-path.ts'
import { addressFaults } from './address-faults.ts'
import { ALGORITHMS } from './algorithms.ts'
import { ISSUER_NAME, SUBJECT_TYPES } from './issuer.ts'
import { SECRET_ENCODINGS } from './secret-bytes.ts'

/** Bounds of the age after which a fetched key set verifies nothing. */
export const JWKS_MAX_AGE_SECONDS = { least: 60, most: 2_592_000 } as const
/** Bounds of the time that a key server has for its answer. */
export const JWKS_TIMEOUT_MS = { least: 100, most: 10_000 } as const
/** Bounds of the length of its answer. */
export const JWKS_MAX_BYTES = { least: 1024, most: 4_194_304 } as const
/** A year: a longer bound is none. */
export const MAX_TOKEN_AGE_SECONDS = 31_536_000

/** Where a discovered key set may lie, beside the issuer's own host. No pattern: `*` would match nothing, in silence. */
export const jwksOriginSchema = z.string().refine((text) => {
  const isOrigin = URL.canParse(text) && new URL(text).origin === text && !text.includes('*')
  return isOrigin && addressFaults(text).length === 0
})

/** One of the types that are allowed. */
export const tokenType = z.string().regex(/^[\w!#$&^.+-]{1,64}(?:\/[\w!#$&^.+-]{1,64})?$/u)

/** The name of a claim. */
export const claimName = z.string().refine((text) => parseClaim(text) !== undefined)

const text = z.string().min(1)
const oneOrMany = z.union([text.transform((one) => [one]), z.array(text).min(1).max(64)])
const within = ({ least, most }: Readonly<{ least: number; most: number }>) => z.int().min(least).max(most)

/**
 * One entry of the issuers file. The variables of a single issuer make one, too. A preset of a provider is a function
 * from entry to entry.
 */
export const issuerEntrySchema = z.strictObject({
  name: z.string().regex(ISSUER_NAME, 'must be 1 to 32 of a-z, 0-9 and -'),
  issuer: oneOrMany,
  tenants: z
    .array(z.string().regex(/^[\w-][\w.-]{0,63}$/u))
    .min(1)
    .max(1000)
    .optional(),
  audience: oneOrMany,
  audienceClaim: claimName.optional(),
  subject: claimName.optional(),
  subjectType: z.enum(SUBJECT_TYPES).optional(),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
  secret: text.optional(),
  secretFile: text.optional(),
  secretEncoding: z.enum(SECRET_ENCODINGS).optional(),
  publicKey: text.optional(),
  publicKeyFile: text.optional(),
  jwksUrl: text.optional(),
  jwksFile: text.optional(),
  jwksTokenFile: text.optional(),
  jwksCaFile: text.optional(),
  jwksOrigins: z.array(jwksOriginSchema).min(1).optional(),
  jwksMaxAgeSeconds: within(JWKS_MAX_AGE_SECONDS).optional(),
  jwksTimeoutMs: within(JWKS_TIMEOUT_MS).optional(),
  jwksMaxBytes: within(JWKS_MAX_BYTES).optional(),
  clockToleranceSeconds: z.int().min(0).max(300).optional(),
  allowedTypes: z.array(tokenType).min(1).optional(),
  maxTokenAgeSeconds: z.int().min(1).max(MAX_TOKEN_AGE_SECONDS).optional(),
})

export type IssuerEntry = Readonly<z.output<typeof issuerEntrySchema>>
export type EntryField = keyof IssuerEntry
