import fc from 'fast-check'
import t from 'tap'
import { type CallTimes, createExpirationReader } from '../../src/sts/expiration.ts'

const HOUR = 3_600_000
const readExpiration = (text: string, times: CallTimes) => createExpirationReader().read(text, times)
const requestedAt = Date.UTC(2026, 0, 1, 0, 0, 0)
const times = { requestedAt, receivedAt: requestedAt + 200, durationSeconds: 3600 }
const inUtc = (epoch: number) => new Date(epoch).toISOString().slice(0, 19).replace('T', ' ')
const inChina = (epoch: number) => inUtc(epoch + 8 * HOUR)

t.test('the zone is inferred from the granted duration', async (t) => {
  const truth = requestedAt + HOUR
  const rows = [
    { name: 'UTC', text: inUtc(truth), want: truth },
    { name: '+08:00', text: inChina(truth), want: truth },
    { name: 'UTC, clocks 14 minutes apart', text: inUtc(truth + 14 * 60_000), want: truth + 14 * 60_000 },
    { name: '+08:00, clocks 14 minutes apart', text: inChina(truth - 14 * 60_000), want: truth - 14 * 60_000 },
    { name: 'shorter than asked, UTC', text: inUtc(requestedAt + HOUR / 2), want: requestedAt + HOUR / 2 },
    {
      name: 'longer than asked, UTC: never later than what was asked for',
      text: inUtc(requestedAt + 2 * HOUR),
      want: truth,
    },
    { name: 'over a day away', text: inUtc(requestedAt + 30 * HOUR), want: truth },
    {
      name: 'both readings to come, neither fits: the earlier, within what was asked',
      text: inUtc(requestedAt + 8.5 * HOUR),
      want: requestedAt + HOUR / 2,
    },
    { name: 'past in both readings', text: inUtc(requestedAt - HOUR), want: undefined },
    { name: 'this very moment', text: inUtc(requestedAt), want: undefined },
  ]
  for (const { name, text, want } of rows) t.test(name, async (t) => t.equal(readExpiration(text, times), want))
})

t.test('what is not a date in the documented form is none', async (t) => {
  const rows = [
    '',
    'tomorrow',
    '2026-01-01',
    '2026-02-30 01:00:00',
    '2026-13-01 01:00:00',
    '2026-01-01 25:00:00',
    '2026-01-01T01:00:00Z',
    ' 2026-01-01 01:00:00',
    '2026-01-01 01:00:00\n',
    '２０２６-01-01 01:00:00',
    '1767229200',
  ]
  for (const text of rows) t.test(JSON.stringify(text), async (t) => t.equal(readExpiration(text, times), undefined))
})

const answer = (zone: 'utc' | 'china', epoch: number) => (zone === 'utc' ? inUtc(epoch) : inChina(epoch))
const zones = fc.constantFrom('utc' as const, 'china' as const)
const calls = fc.record({
  durationSeconds: fc.integer({ min: 3600, max: 43_200 }),
  latency: fc.integer({ min: 0, max: 10_000 }),
  requestedAt: fc.integer({ min: 0, max: 4_000_000_000_000 }),
})

t.test('for any duration, delay and zone, the true expiry is found once an hour-long session was seen', async () => {
  fc.assert(
    fc.property(zones, calls, (zone, { durationSeconds, latency, requestedAt }) => {
      const { read } = createExpirationReader()
      const ask = (duration: number) => {
        const truth = Math.floor((requestedAt + latency / 2) / 1000) * 1000 + duration * 1000
        const call = { requestedAt, receivedAt: requestedAt + latency, durationSeconds: duration }
        return read(answer(zone, truth), call) === truth
      }
      return ask(3600) && ask(durationSeconds)
    }),
  )
})

t.test(
  'no expiry is ever told later than the true one, were the session cut short or the first that is seen',
  async () => {
    fc.assert(
      fc.property(zones, calls, fc.double({ min: 0.01, max: 1, noNaN: true }), (zone, call, share) => {
        const { durationSeconds, latency, requestedAt } = call
        const truth = Math.floor((requestedAt + latency) / 1000 + durationSeconds * share) * 1000
        const receivedAt = requestedAt + latency
        const told = createExpirationReader().read(answer(zone, truth), { requestedAt, receivedAt, durationSeconds })
        return told === undefined || told <= truth
      }),
      { numRuns: 2000 },
    )
  },
)

t.test('a long session is told as short while the zone is not known, and as what it is afterwards', async (t) => {
  const { read } = createExpirationReader()
  const long = { ...times, durationSeconds: 43_200 }
  t.equal(read(inUtc(requestedAt + 12 * HOUR), long), requestedAt + 4 * HOUR)
  t.equal(read(inUtc(requestedAt + HOUR), times), requestedAt + HOUR)
  t.equal(read(inUtc(requestedAt + 12 * HOUR), long), requestedAt + 12 * HOUR)
})
