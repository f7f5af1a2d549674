import t from 'tap'
import { systemClock } from '../../../src/lib/clock.ts'
import { manualClock } from '../../helpers/clock.ts'
import { setUpShared, signForEach } from '../../vending/shared-session-harness.ts'

t.test('100,000 callers cause one call to STS', async (t) => {
  const { asked, sign } = setUpShared(t, { ...manualClock(), ...systemClock() })
  t.equal(await signForEach(sign, 100_000), 100_000)
  t.equal(asked.length, 1)
  t.match(asked[0], { roleSessionName: 'mine.signed-writes' })
})
