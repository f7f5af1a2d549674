import type { Test } from 'tap'
import type { Fault } from '../../../sandbox/faults.ts'
import { BREAKER } from '../../../src/sessions/guard.ts'
import { refusalFaults, SHED_MS, servedFaults, sessionFaults, slowness } from './expect.ts'
import { everybody, people, type Rig, rig, within } from './rig.ts'
import { memoryMb, watchCrashes } from './watch.ts'

const MINUTE_MS = 60_000
/** One-hour sessions are renewed from 30 to 36 minutes on: all of them are due. */
const OVERDUE_MS = 37 * MINUTE_MS
/** A renewal that failed is tried again after up to so long. */
const RENEW_MS = 15_000
/** More than what the runtime itself takes and gives back; far less than a body that was read whole, each round. */
const MEMORY_MB = 8

/** A fault, and what it means for those who have no session. */
export type Course = Readonly<{ codes: readonly string[]; rounds: number; begin: () => void; end: () => void }>

/** Gives these callers a session each. */
export async function settleIn(t: Test, rig: Rig, subs: readonly string[]): Promise<readonly string[]> {
  const all = () => everybody(rig, subs)
  await within(t, 'everybody has a session', async () => (await all()).every(({ status }) => status === 200))
  const answers = await all()
  t.strictSame(servedFaults(rig, answers), [], 'which is their own')
  return answers.map(({ credentials }) => credentials?.accessKey)
}

/**
 * Goes through a fault of STS as callers do: some have a session that is due for renewal, others come without one, again
 * and again, each time after the circuit breaker would try STS again; then it is over.
 */
export async function goThrough(t: Test, setUp: Rig, { codes, rounds, begin, end }: Course): Promise<void> {
  const { vend, pass, idle, sandbox, config } = setUp
  const living = people(20, 'living')
  const memory = memoryMb()
  const keys = await settleIn(t, setUp, living)
  pass(OVERDUE_MS)

  begin()
  const found: string[] = []
  let level = 0
  let fastest = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    pass(BREAKER.openMs)
    const answers = await everybody(setUp, living)
    found.push(...servedFaults(setUp, answers))
    if (answers.some(({ credentials }, n) => credentials?.accessKey !== keys[n])) found.push('a session was replaced')
    // Turned away where a renewal is just finding out whether STS is back.
    const newcomer = await vend(`newcomer-${round}`)
    const most = config.vendDeadlineMs + 500
    found.push(
      ...refusalFaults(newcomer, round === 0 ? codes : [...codes, 'upstream_unavailable']),
      ...slowness([newcomer], { median: most, slowest: most }),
    )
    await idle()
    if (round === 0) continue
    const shed = await everybody(setUp, people(10, `turned-away-${round}`))
    found.push(...shed.flatMap((one) => refusalFaults(one, ['upstream_unavailable'])), ...slowness(shed))
    fastest = Math.min(fastest, ...shed.map(({ ms }) => ms))
    if (round === Math.floor(rounds / 3)) level = memory()
  }
  t.strictSame(found, [], 'while it lasts')
  // Of all, since a machine that is busy with something else is not what this is about.
  t.ok(fastest < SHED_MS, `whoever is turned away is told within ${fastest.toFixed(1)} ms`)
  const grown = memory() - level
  t.ok(grown < MEMORY_MB, `memory has grown by ${grown.toFixed(1)} MB`)

  end()
  pass(BREAKER.openMs)
  t.strictSame(sessionFaults(setUp, await vend('comes-back')), [], 'who comes first is served')
  t.strictSame(servedFaults(setUp, await everybody(setUp, living)), [], 'so is everybody else')
  pass(RENEW_MS)
  const before = sandbox.sts.asked.length
  await within(t, 'everybody has a new session', async () => {
    const answers = await everybody(setUp, living)
    const faults = servedFaults(setUp, answers)
    if (faults.length > 0) t.strictSame(faults, [])
    return answers.every(({ credentials }, n) => credentials?.accessKey !== keys[n])
  })
  t.equal(sandbox.sts.asked.length - before, living.length, 'for which STS was asked once each')
}

type Row = Readonly<{ name: string; fault: Fault }>

/** Goes through each of these answers of STS, none of which is of use to anybody. */
export function eachFaultOfSts(t: Test, rows: readonly Row[]): void {
  const crashes = watchCrashes()
  for (const { name, fault } of rows) {
    t.test(`STS answers with ${name}`, async (t) => {
      const setUp = await rig(t)
      const { faults } = setUp.sandbox.sts
      await goThrough(t, setUp, {
        codes: ['upstream_unavailable'],
        rounds: 9,
        begin: () => faults.set(fault),
        end: () => faults.set(undefined),
      })
      t.strictSame(crashes, [], 'nothing that nobody caught')
    })
  }
}
