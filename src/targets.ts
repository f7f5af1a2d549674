import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config/config.ts'
import type { TargetConfig } from './config/targets.ts'
import type { Clock } from './lib/clock.ts'
import { type ClockOffset, createClockOffset } from './lib/clock-offset.ts'
import type { Route } from './lib/outbound.ts'
import { reportZone } from './observe/time-zone.ts'
import type { Grant, GrantSettings } from './policy/grant/grant.ts'
import type { Targets } from './policy/grant/target.ts'
import { s3Translator } from './policy/language/s3.ts'
import { stsKeys } from './reload/keys.ts'
import type { SecretFiles } from './reload/secret-files.ts'
import type { Upstream } from './sessions/sessions.ts'
import { createAwsSts } from './sts/aws.ts'
import type { CredentialSource } from './sts/credentials.ts'
import { UNAMBIGUOUS_SECONDS } from './sts/expiration.ts'
import { createJdcloudSts } from './sts/jdcloud.ts'
import { learnZone } from './sts/learn-zone.ts'
import { probeRequest } from './sts/probe.ts'

/** Where sessions are for, and all that belongs to it alone. */
export type Target = Readonly<{
  /** What its grants are filled in with. */
  settings: GrantSettings
  /** What its callers are told, and what its URLs are signed for. */
  oss: TargetConfig['oss']
  upstream: Upstream
  /** What decides beside a grant what a session opens, for replicas of different settings that share a Redis. */
  scope: string
  stsClock: ClockOffset
  /** When its key was created, or was put into use in place of an older one (epoch milliseconds), if that is known. */
  keyCreatedAt: () => number | undefined
  /** Its keys in files, if it has any. */
  keys: SecretFiles | undefined
  /** Learns in the background what its STS does not say; returns what ends it. */
  learn: () => () => void
}>

/** One source for every target, or one for each by its name. */
export type SourceOverride = CredentialSource | ((target: string) => CredentialSource)

type Dependencies = Readonly<{
  logger: FastifyBaseLogger
  route: Route
  clock: Clock
  now: () => number
  random: () => number
  /** Asked in place of the configured STS. */
  source?: SourceOverride | undefined
}>

/** Every configured target, by its name. */
export function createTargets(
  config: Pick<Config, 'targets' | 'calls' | 'issuers'>,
  dependencies: Dependencies,
): Targets<Target> {
  const severalIssuers = config.issuers.length > 1
  return new Map(
    config.targets.map((target) => [target.name, createTarget(target, config.calls, severalIssuers, dependencies)]),
  )
}

/** A part of every target, by its name. */
export const mapTargets = <T>(targets: Targets<Target>, part: (target: Target) => T): ReadonlyMap<string, T> =>
  new Map([...targets].map(([name, target]) => [name, part(target)]))

/** Finds the target of a grant. */
export const targetFinder =
  (targets: Targets<Target>) =>
  ({ target }: Pick<Grant, 'target'>): Target => {
    const found = targets.get(target)
    if (!found) throw new Error('the grant is for no target')
    return found
  }

function createTarget(
  config: TargetConfig,
  calls: Config['calls'],
  severalIssuers: boolean,
  { route, clock, now, random, source, ...dependencies }: Dependencies,
): Target {
  const { name, oss, sts: about } = config
  const logger = dependencies.logger.child({ target: name })
  const stsClock = createClockOffset(now)
  const options = { ...calls, route, clock: stsClock }
  const { minSessionSeconds, maxSessionSeconds, endpoint, role, account } = about
  const settings = { ...oss, target: name, minSessionSeconds, maxSessionSeconds, severalIssuers }
  const probe = probeRequest(settings)
  let keyCreatedAt = about.keyCreatedAt
  const onNewKey = () => {
    keyCreatedAt = now()
  }
  const quota = `${endpoint} ${account}`
  const target = {
    ...{ settings, oss, scope: `${endpoint} ${role}`, stsClock },
    keyCreatedAt: () => keyCreatedAt,
    keys: undefined,
    learn: () => () => {},
  }
  if (source) {
    return { ...target, upstream: { source: typeof source === 'function' ? source(name) : source, quota } }
  }
  if (about.kind === 'aws-sts') {
    const translate = s3Translator({ ...oss, partition: about.partition })
    const sts = createAwsSts({ ...about, ...options }, { now, translate })
    return { ...target, upstream: { source: sts, quota }, keys: stsKeys(config, sts, { probe, onNewKey }) }
  }
  const sts = createJdcloudSts({ ...about, ...options }, { now, onZone: reportZone(logger) })
  return {
    ...target,
    upstream: { source: sts, quota },
    keys: stsKeys(config, sts, { probe, onNewKey }),
    learn: () =>
      maxSessionSeconds > UNAMBIGUOUS_SECONDS ? learnZone(sts, { probe, clock, random, logger }) : () => {},
  }
}
