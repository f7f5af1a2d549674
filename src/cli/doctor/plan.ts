import { pino } from 'pino'
import type { Config } from '../../config/config.ts'
import type { Clock } from '../../lib/clock.ts'
import { createRoute, type Route } from '../../lib/outbound.ts'
import { checkedIssuers, type LintSettings } from '../../policy/check/lint/rule.ts'
import type { Targets } from '../../policy/grant/target.ts'
import type { Template } from '../../policy/template/template.ts'
import { createTargets } from '../../targets.ts'
import { count } from '../io.ts'
import { checkAuditFile } from './audit-file.ts'
import { type Check, type CreateCheck, notChecked, passed } from './check.ts'
import { checkIssuerKeys } from './issuer-keys.ts'
import { checkRedis } from './redis.ts'
import { targetChecks } from './target-checks.ts'
import { checkTemplates } from './templates.ts'

/** How the doctor works, and what is not the operator's to set. */
export type PlanOptions = Readonly<{
  check: CreateCheck
  clock: Clock
  now: () => number
  random: () => number
  id: string
  sandbox: boolean
  /** Whether objects may be written. */
  probe: boolean
  /** Whether issuers, and targets, stand in a file. */
  fromFile: Readonly<{ issuers: boolean; targets: boolean }>
}>

/** What the checks of all targets share. */
export type Shared = PlanOptions &
  Readonly<{
    config: Config
    route: Route
    settings: Targets<LintSettings>
    templates: Check<readonly Template[]>
    /** Empty when they cannot be used. */
    loaded: readonly Template[]
  }>

const SERVICE = 'Service'

/** Every check, in the order of the report, and what ends the connections that they share. */
export async function planChecks(config: Config, options: PlanOptions) {
  const { check, clock, now, random, id, sandbox, fromFile } = options
  const route = createRoute(config.outbound)
  const targets = createTargets(config, { logger: pino({ level: 'silent' }), route, clock, now, random })
  const issuers = checkedIssuers(config.issuers)
  const settings = new Map([...targets].map(([name, target]) => [name, { ...target.settings, ...issuers }]))

  const configuration = check({
    group: SERVICE,
    name: 'configuration',
    run: async () => ({
      lines: [passed(`${count(config.issuers.length, 'issuer')}, ${count(config.targets.length, 'target')}`)],
      value: true,
    }),
  })
  const templates = check({
    group: SERVICE,
    name: 'templates',
    run: () => checkTemplates(config.policiesDir, settings),
  })
  const issuerChecks = config.issuers.map((issuer) =>
    check({
      group: SERVICE,
      name: `issuer ${issuer.name}`,
      run: () => checkIssuerKeys(issuer, { route, sandbox, fromFile: fromFile.issuers }),
    }),
  )
  const redis = check({
    group: SERVICE,
    name: 'redis',
    run: async () =>
      config.redis
        ? checkRedis(config.redis.address, { route, clock, random, id })
        : { lines: [notChecked('REDIS_URL is not set, so each replica works alone')] },
  })
  // Read from disk, so this does not take long, and tells how much there is to do.
  const { value: loaded = [] } = await templates.outcome()
  const shared: Shared = { ...options, config, route, settings, templates, loaded }
  const ofTargets = config.targets.map((target) => targetChecks(target, targets.get(target.name), shared))
  const { log } = config.audit
  const audit =
    log === 'stdout' || log === 'none' ? [] : [check({ group: SERVICE, name: 'audit', run: () => checkAuditFile(log) })]
  const all: readonly Check[] = [
    configuration,
    ...audit,
    templates,
    ...issuerChecks,
    redis,
    ...ofTargets.flatMap(({ checks }) => checks),
  ]
  const close = async () => {
    await Promise.all(ofTargets.map((target) => target.close()))
    await Promise.all([...targets.values()].map(({ upstream }) => upstream.source.close()))
  }
  return { checks: all, close }
}
