import t, { type Test } from 'tap'
import type { Sandbox } from '../../../sandbox/index.ts'
import type { Scenario } from '../../../sandbox/world.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { needsRedis } from '../../helpers/redis.ts'
import { templateText } from '../../helpers/templates.ts'
import { diagnose, soundCloud } from './harness.ts'

/** One fault in a cloud that is sound otherwise, and the one cross that it must be. */
export type Fault = Readonly<{
  fault: string
  scenario?: Scenario
  /** Plants it, and returns what differs in the environment. */
  plant?: (t: Test, sandbox: Sandbox) => Environment | Promise<Environment>
  probe?: true
  /** How far the clock of this machine is ahead. */
  aheadMs?: number
  /** Whether the time limit of Redis is over sooner. */
  hurry?: true
  redis?: true
  want: Readonly<{ name: string; message: RegExp; remedy: RegExp; settings?: readonly string[] }>
  /** Checks that the fault makes impossible. */
  notChecked?: readonly string[]
}>

export const EXAMPLE = {
  caller: { sub: 'alice' },
  can: ['PutObject users/alice/1.jpg'],
  cannot: ['PutObject users/bob/1.jpg'],
}

/** A folder with one template, `mine`. */
export const policies = (t: Test, parts: Record<string, unknown>) => ({
  POLICIES_DIR: t.testdir({ 'mine.yaml': templateText({ examples: [EXAMPLE], ...parts }) }),
})

/** Plants each fault by itself, and tests that the doctor has this one cross. */
export function plantFaults(faults: readonly Fault[]): void {
  for (const one of faults) t.test(one.fault, one.redis ? needsRedis : {}, (t) => plantFault(t, one))
}

async function plantFault(t: Test, fault: Fault): Promise<void> {
  const { scenario, plant, probe = false, aheadMs = 0, hurry = false, want, notChecked = [] } = fault
  const { sandbox, env } = await soundCloud(t, scenario)
  const changes = await plant?.(t, sandbox)
  const now = () => Date.now() + aheadMs
  const after = (ms: number, callback: () => void) => systemClock().after(hurry && ms === 5000 ? 500 : ms, callback)
  const clock = { ...systemClock(now), after }
  const { exitCode, lines, out, named } = await diagnose({ ...env, ...changes }, { probe }, { now, clock })
  t.equal(exitCode, 1)
  t.strictSame([...new Set(named('failed'))], [want.name], 'this is the only cross')
  const [cross] = lines.filter(({ status }) => status === 'failed')
  t.match(cross, { message: want.message, remedy: want.remedy, ...(want.settings && { settings: want.settings }) })
  const missing = named('not_checked')
  for (const name of notChecked) t.ok(missing.includes(name), `${name} is not checked, and not passed`)
  t.notMatch(out, /SENTINEL/u)
  t.strictSame(
    [...sandbox.oss.store.values()].flatMap((bucket) => bucket.keys()),
    [],
    'no object is left behind',
  )
}
