import fc from 'fast-check'
import t from 'tap'
import { createExpirationReader, type TimeZone, UNAMBIGUOUS_SECONDS } from '../../src/sts/expiration.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOW = Date.UTC(2026, 0, 1)
/**
 * STS, which writes the true end in a zone of its own, by a clock that is `skewMs` ahead of ours. It may grant a part of what
 * is asked for, and never less than an hour.
 */
function sts(zone: TimeZone, skewMs: number, shareGranted = 1) {
  return (requestedAt: number, seconds: number) => {
    const truth =
      Math.floor((requestedAt + skewMs) / 1000) * 1000 + Math.max(3600, Math.floor(seconds * shareGranted)) * 1000
    const written = truth + (zone === 'UTC' ? 0 : 8 * HOUR)
    return { truth, text: new Date(written).toISOString().slice(0, 19).replace('T', ' ') }
  }
}

/** What one vend asks for, is told, and what is true. */
function vend(
  reader: ReturnType<typeof createExpirationReader>,
  from: ReturnType<typeof sts>,
  at: number,
  seconds: number,
) {
  const durationSeconds = reader.askable(seconds)
  const { truth, text } = from(at, durationSeconds)
  return { durationSeconds, truth, told: reader.read(text, { requestedAt: at, receivedAt: at + 200, durationSeconds }) }
}

const ZONES = ['UTC', '+08:00'] as const
const SETTINGS = ['auto', ...ZONES] as const
const DURATIONS = [3600, 7200, 14_400, 27_899, 27_900, 28_799, 28_800, 28_801, 29_000, 29_699, 29_700, 36_000, 43_200]
const SKEWS = [-14, -5, 0, 5, 14]

for (const setting of SETTINGS) {
  for (const zone of ZONES) {
    t.test(`${setting}, and STS writes ${zone}`, async (t) => {
      for (const seconds of DURATIONS) {
        for (const skew of SKEWS) {
          const name = `${seconds} s, clocks ${skew} minutes apart`
          const reader = createExpirationReader(setting)
          const from = sts(zone, skew * MINUTE)
          const first = vend(reader, from, NOW, seconds)
          const [second, third] = [1, 2].map((n) => vend(reader, from, NOW + n * MINUTE, seconds))
          for (const { told, truth } of [first, second, third].filter((one) => one !== undefined)) {
            if (told !== undefined && told > truth) t.fail(`${name}: told ${told - truth} ms too late`)
          }
          if (setting === zone) {
            t.strictSame([first.durationSeconds, first.told], [seconds, first.truth], `${name}: whole from the first`)
          } else if (setting === 'auto') {
            const whole = Math.min(seconds, UNAMBIGUOUS_SECONDS)
            t.strictSame([first.durationSeconds, first.told], [whole, first.truth], `${name}: the first is true`)
            t.strictSame(
              [second?.durationSeconds, second?.told],
              [seconds, second?.truth],
              `${name}: the next is whole`,
            )
          } else {
            // Set wrongly: at the latest the second is of use.
            t.ok((third?.told ?? 0) >= NOW + 45 * MINUTE, `${name}: usable`)
          }
        }
      }
    })
  }
}

t.test('an expiration that contradicts the zone is told once, and no later than it can be', async (t) => {
  const rows: { name: string; set: TimeZone; text: string; want: number | undefined }[] = [
    { name: 'past by the zone', set: '+08:00', text: '2026-01-01 01:00:00', want: NOW + HOUR },
    { name: 'hours after what was asked for', set: 'UTC', text: '2026-01-01 09:00:00', want: NOW + HOUR },
    { name: 'days after what was asked for', set: 'UTC', text: '2026-01-09 01:00:00', want: NOW + HOUR },
    { name: 'past by every zone', set: 'UTC', text: '2025-12-31 23:00:00', want: undefined },
    { name: 'in ten minutes', set: 'UTC', text: '2026-01-01 00:10:00', want: NOW + 10 * MINUTE },
  ]
  for (const { name, set, text, want } of rows) {
    t.test(name, async (t) => {
      const told: string[] = []
      const reader = createExpirationReader(set, (event, zone) => told.push(`${event} ${zone}`))
      const times = { requestedAt: NOW, receivedAt: NOW + 200, durationSeconds: 3600 }
      t.equal(reader.read(text, times), want)
      t.equal(reader.read(text, times), want)
      t.strictSame(told, [`contradicted ${set}`])
      t.equal(reader.zone(), set, 'which stays')
      t.equal(reader.askable(43_200), UNAMBIGUOUS_SECONDS, 'and nothing is asked for that could not be read')
      reader.read(sts(set, 0)(NOW, 3600).text, times)
      t.equal(reader.askable(43_200), 43_200, 'until an answer fits again')
    })
  }
})

t.test('a session that STS cut short is believed in a zone that was set', async (t) => {
  for (const zone of ZONES) {
    const { told, truth } = vend(createExpirationReader(zone), sts(zone, 0, 0.5), NOW, 43_200)
    t.equal(told, truth)
  }
})

const zones = fc.constantFrom(...ZONES)
const skews = fc.integer({ min: -14 * MINUTE, max: 14 * MINUTE })
const courses = fc.array(fc.integer({ min: 3600, max: 43_200 }), { minLength: 1, maxLength: 8 })

t.test(
  'whatever is asked in whatever order, no end is told later than the true one, and every session is of use',
  async () => {
    fc.assert(
      fc.property(zones, fc.boolean(), skews, courses, (zone, auto, skew, course) => {
        const reader = createExpirationReader(auto ? 'auto' : zone)
        return course.every(
          (seconds, n) => vend(reader, sts(zone, skew), NOW + n * MINUTE, seconds).told === vendTruth(n),
        )

        function vendTruth(n: number): number {
          const asked = n === 0 && auto ? Math.min(course[0] ?? 0, UNAMBIGUOUS_SECONDS) : (course[n] ?? 0)
          return sts(zone, skew)(NOW + n * MINUTE, asked).truth
        }
      }),
      { numRuns: 2000 },
    )
  },
)

t.test('nor when STS cuts sessions short, changes its zone, or the zone was set wrongly', async () => {
  const answers = fc.array(
    fc.record({
      zone: zones,
      seconds: fc.integer({ min: 3600, max: 43_200 }),
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(skews, answers, (skew, course) => {
      const reader = createExpirationReader('auto')
      return course.every(({ zone, seconds, share }, n) => {
        // A zone that is known, and then left for the other by an STS that also cuts by eight hours, cannot be told apart.
        const granted = reader.zone() && reader.zone() !== zone && seconds > UNAMBIGUOUS_SECONDS ? 1 : share
        const { told, truth } = vend(reader, sts(zone, skew, granted), NOW + n * MINUTE, seconds)
        return told === undefined || told <= truth
      })
    }),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(zones, zones, skews, courses, (set, zone, skew, course) => {
      const reader = createExpirationReader(set)
      return course.every((seconds, n) => {
        const { told, truth } = vend(reader, sts(zone, skew), NOW + n * MINUTE, seconds)
        return told === undefined || told <= truth
      })
    }),
    { numRuns: 3000 },
  )
})
