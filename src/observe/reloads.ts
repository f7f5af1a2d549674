import { parse as parsePath } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Reload } from '../policy/check/catalogue.ts'
import { type Finding, formatFinding } from '../policy/template/finding.ts'

/** The log shows at most this many errors of one set; `oss-vend policies lint` shows all. */
const MAX_TOLD = 20

/**
 * Reports each loaded or refused set of templates in log and metrics. A warning, or a finding that a template accepts,
 * is logged when it first appears, not at each reload.
 */
export function reportReloads(logger: FastifyBaseLogger, metrics: Registry): (reload: Reload) => void {
  const registers = [metrics]
  const reloads = new Counter({
    name: 'oss_vend_policy_loads_total',
    help: 'Sets of policy templates that were loaded, or refused so that the old ones stay.',
    labelNames: ['outcome'],
    registers,
  })
  const templates = new Gauge({
    name: 'oss_vend_policy_templates',
    help: 'Policy templates that are served.',
    registers,
  })
  const stale = new Gauge({
    name: 'oss_vend_policies_stale',
    help: '1 while the directory of templates holds a set that was refused.',
    registers,
  })
  const accepted = new Gauge({
    name: 'oss_vend_policy_accepted_findings',
    help: 'Dangers that a policy template accepts with a reason, by template and rule.',
    labelNames: ['policy', 'rule'],
    registers,
  })
  const info = new Gauge({
    name: 'oss_vend_policies_info',
    help: '1 for the version of the policy templates that are served: a hash over their names and texts.',
    labelNames: ['version'],
    registers,
  })
  let known: ReadonlySet<string> = new Set()

  return (reload) => {
    reloads.inc({ outcome: reload.outcome })
    stale.set(reload.outcome === 'refused' ? 1 : 0)
    if (reload.outcome === 'refused') {
      const findings = reload.errors.slice(0, MAX_TOLD).map(formatFinding)
      logger.error({ errors: reload.errors.length, findings }, 'policies refused, the old ones stay')
      return
    }
    templates.set(reload.catalogue.size)
    info.reset()
    info.set({ version: reload.version }, 1)
    logger.info(
      {
        policies: [...reload.catalogue.keys()].slice(0, 100),
        templates: reload.catalogue.size,
        version: reload.version,
      },
      'policies loaded',
    )
    accepted.reset()
    for (const { file, rule } of reload.accepted) accepted.inc({ policy: parsePath(file).name, rule })
    const told = new Map([...reload.warnings, ...reload.accepted].map((finding) => [identity(finding), finding]))
    for (const [id, finding] of told) {
      const message = finding.severity === 'accepted' ? 'policy danger accepted' : 'policy warning'
      if (!known.has(id)) logger.warn({ finding: formatFinding(finding) }, message)
    }
    known = new Set(told.keys())
  }
}

/** Identifies a finding without its line, which changes when text above it changes. */
const identity = ({ file, rule, message, reason }: Finding) => JSON.stringify([file, rule, message, reason])
