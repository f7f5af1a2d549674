import t from 'tap'
import type { Lie } from '../../../sandbox/faults.ts'
import { sessionFaults } from './expect.ts'
import { people, rig } from './rig.ts'
import { eachFaultOfSts } from './sts-course.ts'
import { watchCrashes } from './watch.ts'

const crashes = watchCrashes()

eachFaultOfSts(t, [
  { name: 'no expiration', fault: { kind: 'expiration', hours: 'missing' } },
  { name: 'an expiration that is over', fault: { kind: 'expiration', hours: -2 } },
  { name: 'an expiration in a zone that makes it over', fault: { kind: 'expiration', hours: -5 } },
  { name: 'an expiration in ten minutes', fault: { kind: 'expiration', hours: -5 / 6 } },
])

t.test('STS writes expirations in a zone that it did not use before', async (t) => {
  const rows: { name: string; lies: Lie['hours'][] }[] = [
    { name: 'from UTC to +08:00', lies: [0, 8] },
    { name: 'from +08:00 to UTC', lies: [8, 0] },
    { name: 'there and back', lies: [0, 8, 0, 8] },
    { name: 'one that nobody expects, of a true hour', lies: [0, 9, 1, 5.5] },
  ]
  for (const { name, lies } of rows) {
    t.test(name, async (t) => {
      const setUp = await rig(t)
      for (const [change, hours] of lies.entries()) {
        setUp.sandbox.sts.faults.set({ kind: 'expiration', hours })
        for (const sub of people(3, `caller-${change}`)) {
          t.strictSame(sessionFaults(setUp, await setUp.vend(sub)), [], `${sub}: ${hours} hours off`)
        }
      }
      t.strictSame(crashes, [])
    })
  }
})
