import t from 'tap'
import { VendError } from '../../src/errors.ts'
import type { TimeZone } from '../../src/sts/expiration.ts'
import { learnZone } from '../../src/sts/learn-zone.ts'
import { manualClock, settle } from '../helpers/clock.ts'
import { credentials, quietLogger, request } from '../helpers/vending.ts'

/** An STS that does not answer until it is told what zone it writes. */
function setUp() {
  const clock = manualClock()
  const logger = quietLogger()
  let zone: TimeZone | undefined
  let healthy = false
  const asked: number[] = []
  const sts = {
    zone: () => zone,
    async assumeRole() {
      asked.push(clock.monotonic())
      if (!healthy) throw new VendError('upstream_unavailable')
      zone = 'UTC'
      return credentials(1, clock.now() + 3_600_000)
    },
  }
  const stop = learnZone(sts, { probe: request(), clock, random: () => 1, logger })
  return { clock, logger, asked, stop, heal: () => (healthy = true), teach: () => (zone = '+08:00') }
}

t.test('a probe is repeated ever more seldom, told once, and ends when the zone is known', async (t) => {
  const { clock, logger, asked, heal } = setUp()
  await clock.advance(20_000)
  t.strictSame(asked, [0, 1000, 3000, 7000, 15_000])
  t.equal(logger.lines.length, 1)
  heal()
  await clock.advance(3_600_000)
  t.equal(asked.length, 6)
  t.equal(clock.timers(), 0)
})

t.test('never more seldom than every five minutes', async (t) => {
  const { clock, asked } = setUp()
  await clock.advance(24 * 3_600_000)
  t.equal((asked.at(-1) ?? 0) - (asked.at(-2) ?? 0), 300_000)
})

t.test('a vend that told the zone ends it', async (t) => {
  const { clock, asked, teach } = setUp()
  await settle()
  teach()
  await clock.advance(3_600_000)
  t.equal(asked.length, 1)
  t.equal(clock.timers(), 0)
})

t.test('it ends with the service', async (t) => {
  const { clock, asked, stop } = setUp()
  await settle()
  stop()
  await clock.advance(3_600_000)
  t.equal(asked.length, 1)
  t.equal(clock.timers(), 0)
})
