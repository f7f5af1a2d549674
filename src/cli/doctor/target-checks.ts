import type { TargetConfig } from '../../config/targets.ts'
import { createPool } from '../../lib/outbound.ts'
import type { Credentials } from '../../sts/credentials.ts'
import { DOCTOR_SESSION } from '../../sts/own-sessions.ts'
import { probeRequest } from '../../sts/probe.ts'
import type { Target } from '../../targets.ts'
import { checkAccepted } from './accepted.ts'
import { createAssume, fieldNames, refusedLine } from './assume-role.ts'
import { checkChunked } from './aws-chunked.ts'
import { checkBucket } from './bucket.ts'
import { type Check, notChecked, readValue } from './check.ts'
import { checkClock } from './clock.ts'
import { checkCors } from './cors.ts'
import type { ProbeContext } from './hand.ts'
import { inTurn } from './in-turn.ts'
import type { Shared } from './plan.ts'
import { checkProbe } from './probe.ts'
import { reach } from './reach.ts'
import { checkKeys, checkLength, checkRole } from './role.ts'
import { openStore } from './s3.ts'
import { grantedExamples, longestSession, templatesFor } from './templates.ts'

/** No answer that the doctor reads is near this. */
const MAX_RESPONSE_BYTES = 256 * 1024
const MOST_PROBES = 4
const NEEDS_PROBE = 'it writes an object, so it needs --probe'

/** The checks of one target, in the order of the report, and what ends their connections. */
export function targetChecks(target: TargetConfig, running: Target | undefined, shared: Shared) {
  if (!running) throw new Error('the target is not among those that are configured')
  const { config, route, now, id, settings, templates, loaded } = shared
  const { name, oss, sts } = target
  const group = `Target ${name}`
  const check = <T>(definition: Omit<Parameters<typeof shared.check<T>>[0], 'group'>): Check<T> =>
    shared.check({ group, ...definition })
  const names = fieldNames(target, shared.fromFile.targets)
  const assume = createAssume(running.upstream.source)
  const request = probeRequest(running.settings)
  const { connectTimeoutMs, timeoutMs } = config.calls
  const limits = { route, connectTimeoutMs, timeoutMs }
  const pool = createPool({
    ...limits,
    connections: MOST_PROBES,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    keepAlive: false,
  })
  const open = (credentials: Credentials) => openStore({ oss, pool, timeoutMs }, credentials)
  // Otherwise calls would wait for a connection until their time is over, where there are many templates.
  const turn = inTurn(MOST_PROBES)
  const mine = templatesFor(loaded, name, settings)

  const reachable = check({
    name: 'sts',
    run: () => reach({ ...limits, address: sts.endpoint, settings: names('stsEndpoint'), now }),
  })
  const clock = check({
    name: 'clock',
    needs: [reachable],
    run: async () => checkClock(await readValue(reachable)),
  })
  const keys = check({ name: 'keys', needs: [clock], run: () => checkKeys(assume, request, names) })
  const role = check({
    name: 'role',
    needs: [keys],
    run: async () => checkRole(await readValue(keys), sts.role, names),
  })
  const length = check({
    name: 'session length',
    needs: [role, templates],
    run: () => checkLength(assume, { probe: request, longest: longestSession(mine, sts.maxSessionSeconds), names }),
  })
  const store = check({
    name: 'oss',
    run: () => reach({ ...limits, address: oss.endpoint, settings: names('endpoint'), now }),
  })
  const bucket = check({
    name: 'bucket',
    needs: [store, role],
    run: async () => {
      const answer = await assume(bucketRequest(running))
      if (answer.refusal) return { lines: [refusedLine(answer.refusal, names)] }
      return checkBucket(await open(answer.credentials), target, names)
    },
  })
  const cors = check({
    name: 'cors',
    needs: [bucket, templates],
    run: () => {
      const origins = config.corsOrigins.filter((origin) => origin !== '*')
      return checkCors({ oss, origins, templates: mine, pool, timeoutMs })
    },
  })

  const ofTemplates = mine.map((template) => {
    const accepted = check({
      name: `template ${template.name}`,
      needs: [role],
      run: () => {
        const granted = grantedExamples(template, name, { settings, now: now() })
        return checkAccepted(template, granted, { assume, names, minSessionSeconds: sts.minSessionSeconds })
      },
    })
    const context: ProbeContext = { oss, assume, open, minSessionSeconds: sts.minSessionSeconds, id }
    const probe = check({
      name: `probe ${template.name}`,
      needs: shared.probe ? [accepted, bucket] : [],
      run: async () =>
        shared.probe
          ? turn(async () => checkProbe(await readValue(accepted), { ...context, names }))
          : { lines: [notChecked(NEEDS_PROBE)] },
    })
    return { accepted, probe, context }
  })
  const chunked = check({
    name: 'aws-chunked',
    needs: shared.probe ? [bucket, templates] : [],
    run: async () => {
      if (!shared.probe) return { lines: [notChecked(NEEDS_PROBE)] }
      const outcomes = await Promise.all(ofTemplates.map(({ accepted }) => accepted.outcome()))
      const accepted = outcomes.flatMap(({ value = [] }) => value)
      return checkChunked(accepted, { oss, assume, open, minSessionSeconds: sts.minSessionSeconds, id })
    },
  })
  const all: readonly Check[] = [
    ...[reachable, clock, keys, role, length, store, bucket, cors],
    ...(loaded.length > 0 ? [] : [check({ name: 'template policies', needs: [role, templates], run: nothing })]),
    ...ofTemplates.flatMap(({ accepted, probe }) => [accepted, probe]),
    chunked,
  ]
  return { checks: all, close: () => pool.close() }
}

const nothing = async () => ({ lines: [notChecked('there is no template')] })

/** A session that may list the bucket if the role may. Whoever may is told in which region the bucket lies. */
const bucketRequest = ({ settings: { account, bucket, minSessionSeconds } }: Target) => ({
  roleSessionName: DOCTOR_SESSION,
  policy: JSON.stringify({
    Version: '3',
    Statement: [{ Effect: 'Allow', Action: ['oss:ListBucket'], Resource: [`jrn:oss:*:${account}:${bucket}`] }],
  }),
  durationSeconds: minSessionSeconds,
})
