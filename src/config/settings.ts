import type { z } from 'zod'
import { audit } from './groups/audit.ts'
import { awsSts } from './groups/aws-sts.ts'
import { cache } from './groups/cache.ts'
import { denylist } from './groups/denylist.ts'
import { jdcloud } from './groups/jdcloud.ts'
import { limits } from './groups/limits.ts'
import { listening } from './groups/listening.ts'
import { outbound } from './groups/outbound.ts'
import { storage } from './groups/storage.ts'
import { sts } from './groups/sts.ts'
import { targets } from './groups/targets.ts'
import { tokens } from './groups/tokens.ts'
import { tracing } from './groups/tracing.ts'

/** The groups by their heading, in the order of `.env.example` and of docs/configuration.md. */
export const groups = {
  Listening: listening,
  'Limits and overload': limits,
  'Trusted tokens': tokens,
  Denylist: denylist,
  'Credential source': sts,
  'JD Cloud': jdcloud,
  'AWS-compatible STS': awsSts,
  'Proxy and authorities': outbound,
  'Session cache': cache,
  'Bucket and templates': storage,
  'Targets file': targets,
  Tracing: tracing,
  Audit: audit,
} as const

/**
 * Every environment variable that the service reads. To add one, write an entry into its group and a line into
 * `readConfig`, then run `npm run settings`.
 */
export const settings = {
  ...listening,
  ...limits,
  ...tokens,
  ...denylist,
  ...sts,
  ...jdcloud,
  ...awsSts,
  ...outbound,
  ...cache,
  ...storage,
  ...targets,
  ...tracing,
  ...audit,
} as const

type Settings = typeof settings
type Name = keyof Settings
type Value<N extends Name> = z.output<Settings[N]['schema']>

/** The values of the settings. A setting without a default can be missing. */
export type ReadSettings = Readonly<{
  [N in Name]: Settings[N] extends { default: string } ? Value<N> : Value<N> | undefined
}>

/** The names of the settings that every service needs, whatever its credential source. */
type Needed = {
  [N in Name]: Settings[N] extends { source: string } ? never : Settings[N] extends { required: true } ? N : never
}[Name]

/** The same, when no required setting is missing. */
export type CompleteSettings = ReadSettings & Readonly<{ [N in Needed]: Value<N> }>
