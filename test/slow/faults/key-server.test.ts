import t, { type Test } from 'tap'
import { createFaults, type Fault, withFaults } from '../../../sandbox/faults.ts'
import { jwk } from '../../helpers/key-servers.ts'
import { listen } from '../../helpers/listen.ts'
import { claims, mint } from '../../helpers/tokens.ts'
import { refusalFaults, servedFaults, slowness } from './expect.ts'
import { people, type Rig, rig } from './rig.ts'
import { watchCrashes } from './watch.ts'

const crashes = watchCrashes()

const MINUTE_MS = 60_000
/** The key server has two seconds; the rest is for a machine that is busy. */
const KEY_SERVER_MS = { median: 3000, slowest: 3500 }
/** When tokens with unknown keys may cause one more fetch, at the latest. */
const BUDGET_MS = 10_000
/** How often a key server without which nothing goes is asked. */
const FIRST_KEYS_MS = 1000

/** A key server that can be told to misbehave, before the service starts or later, and whose keys can change. */
async function start(t: Test, fault?: Fault) {
  const faults = createFaults()
  faults.set(fault)
  const kids = ['a']
  const url = await listen(
    t,
    withFaults(faults, (_req, res) => {
      res.end(JSON.stringify({ keys: kids.map((kid) => jwk(kid)) }))
    }),
  )
  const env = { JWT_SECRET: '', JWT_JWKS_URL: url, JWT_ALGORITHMS: 'RS256' }
  return { faults, kids, setUp: await rig(t, { env }) }
}

const token = (sub: string, kid = 'a') => mint(claims({ sub }), { alg: 'RS256', kid })
const all = ({ vend }: Rig, subs: readonly string[], kid?: string) =>
  Promise.all(subs.map((sub) => vend(sub, { token: token(sub, kid) })))

const rows: { name: string; fault: Fault }[] = [
  { name: 'hangs', fault: { kind: 'hang' } },
  { name: 'resets connections', fault: { kind: 'reset' } },
  { name: 'sends garbage', fault: { kind: 'garbage' } },
  { name: 'sends 10 GB', fault: { kind: 'huge', bytes: 10 * 1024 ** 3 } },
]

for (const { name, fault } of rows) {
  t.test(`the key server ${name}`, async (t) => {
    const { faults, kids, setUp } = await start(t)
    const living = people(10, 'living')
    t.strictSame(servedFaults(setUp, await all(setUp, living)), [])
    faults.set(fault)
    for (let round = 0; round < 3; round++) {
      setUp.pass(11 * MINUTE_MS)
      const answers = await all(setUp, [...living, ...people(5, `newcomer-${round}`)])
      t.strictSame(servedFaults(setUp, answers), [], 'whoever has a token of a known key is served, and does not wait')
    }
    const strangers = await all(setUp, people(5, 'stranger'), 'b')
    t.strictSame(
      strangers.flatMap((one) => refusalFaults(one, ['upstream_unavailable'])),
      [],
      'an unknown key is nothing to call anybody unauthenticated for',
    )
    t.strictSame(slowness(strangers, KEY_SERVER_MS), [])
    faults.set(undefined)
    kids.push('b')
    setUp.pass(BUDGET_MS)
    t.strictSame(servedFaults(setUp, await all(setUp, people(5, 'stranger'), 'b')), [], 'a new key is found')
    t.strictSame(crashes, [])
  })

  for (const [when, stepMs] of [
    ['', 0],
    [', and the clock is set back', -60 * MINUTE_MS],
  ] as const) {
    t.test(`the key server ${name} when the service starts${when}`, async (t) => {
      const { faults, setUp } = await start(t, fault)
      const answers = await all(setUp, people(5))
      t.strictSame(
        answers.flatMap((one) => refusalFaults(one, ['upstream_unavailable'])),
        [],
      )
      t.strictSame(slowness(answers, KEY_SERVER_MS), [])
      faults.set(undefined)
      setUp.step(stepMs)
      setUp.pass(FIRST_KEYS_MS)
      const [first] = await all(setUp, ['first'])
      // With a date that is an hour off STS takes no signature, and that is another fault.
      t.equal(first?.code, stepMs === 0 ? undefined : 'upstream_denied')
      t.strictSame(crashes, [])
    })
  }
}
