import type { LookupFunction } from 'node:net'
import t from 'tap'
import { Agent } from 'undici'
import type { Fault } from '../../../sandbox/faults.ts'
import { createJdcloudSts } from '../../../src/sts/jdcloud.ts'
import { onlyTargetIn } from '../../helpers/config-faults.ts'
import { rig } from './rig.ts'
import { goThrough } from './sts-course.ts'
import { watchCrashes } from './watch.ts'

const crashes = watchCrashes()

// Real time, for undici measures it.
const env = { STS_TIMEOUT_MS: '1000', VEND_DEADLINE_MS: '1500' }
/** Half a second apart, a busy machine would come to a caller's deadline before it sees that STS is late. */
const apart = { ...env, VEND_DEADLINE_MS: '3000' }
const LATE = ['upstream_timeout']
const GONE = ['upstream_unavailable']

const rows: { name: string; fault: Fault; codes: string[]; rounds: number }[] = [
  { name: 'answers after the deadline', fault: { kind: 'delay', ms: 60_000 }, codes: LATE, rounds: 3 },
  { name: 'never answers', fault: { kind: 'hang' }, codes: LATE, rounds: 3 },
  { name: 'resets connections', fault: { kind: 'reset' }, codes: GONE, rounds: 9 },
]
for (const { name, fault, codes, rounds } of rows) {
  t.test(`STS ${name}`, async (t) => {
    const setUp = await rig(t, { env: codes === LATE ? apart : env })
    const { faults } = setUp.sandbox.sts
    const [begin, end] = [() => faults.set(fault), () => faults.set(undefined)]
    await goThrough(t, setUp, { codes, rounds, begin, end })
    t.strictSame(crashes, [])
  })
}

/** A name that no DNS has, found by nobody but the test. */
function resolver() {
  let mood: 'found' | 'unknown' | 'silent' = 'found'
  const lookup: LookupFunction = (_name, { all }, found) => {
    if (mood === 'unknown') found(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), '')
    else if (mood === 'found' && all) found(null, [{ address: '127.0.0.1', family: 4 }])
    else if (mood === 'found') found(null, '127.0.0.1', 4)
  }
  const be = (now: typeof mood) => {
    mood = now
  }
  return { lookup, be }
}

for (const mood of ['unknown', 'silent'] as const) {
  t.test(`STS has a name for which DNS is ${mood}`, async (t) => {
    const { lookup, be } = resolver()
    const setUp = await rig(t, {
      env,
      dependencies: (config, { now }) => {
        const { sts } = onlyTargetIn(config)
        const endpoint = `http://sts.invalid:${new URL(sts.endpoint).port}`
        const agent = new Agent({ pipelining: 0, connect: { timeout: 600, lookup } })
        const pool = { dispatcher: agent, close: () => agent.close() }
        return { source: createJdcloudSts({ ...sts, ...config.calls, endpoint }, { pool, now }) }
      },
    })
    const rounds = mood === 'silent' ? 3 : 9
    await goThrough(t, setUp, { codes: [...GONE, ...LATE], rounds, begin: () => be(mood), end: () => be('found') })
    t.strictSame(crashes, [])
  })
}
