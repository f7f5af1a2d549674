import t from 'tap'
import { clockFault, createClockOffset } from '../../src/lib/clock-offset.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const at = (ms: number) => new Date(NOW + ms).toUTCString()

/** The offset that an answer with these headers tells, which took so many milliseconds. */
function offsetOf(headers: Record<string, string | string[]>, took = 0) {
  let time = NOW
  const clock = createClockOffset(() => time)
  const compare = clock.start()
  time += took
  const offset = compare(headers)
  return { offset, seconds: clock.seconds() }
}

t.test('the least difference that explains the date', async (t) => {
  const rows = [
    { name: 'the same second', date: at(0), took: 0, want: 0 },
    { name: 'within the call', date: at(3000), took: 4000, want: 0 },
    { name: 'the second in which the call began', date: at(-900), took: 100, want: 0 },
    { name: 'ahead of the end of the call', date: at(64_000), took: 4000, want: 60 },
    { name: 'behind its beginning', date: at(-61_000), took: 4000, want: -60 },
    { name: 'an hour and a half behind', date: at(-5_400_000), took: 0, want: -5399 },
    { name: 'a machine that starts in 1970', date: at(0), took: -NOW, want: NOW / 1000 },
  ]
  for (const { name, date, took, want } of rows) {
    t.strictSame(offsetOf({ date }, took), { offset: want, seconds: want }, name)
  }
})

t.test('a date that tells nothing is no offset', async (t) => {
  const rows: { name: string; headers: Record<string, string | string[]> }[] = [
    { name: 'none', headers: {} },
    { name: 'empty', headers: { date: '' } },
    { name: 'two', headers: { date: [at(0), at(5000)] } },
    { name: 'of a cache', headers: { date: at(-999_000), age: '999' } },
    { name: 'of a cache that says 0', headers: { date: at(-999_000), age: '0' } },
    { name: 'in ISO 8601', headers: { date: new Date(NOW).toISOString() } },
    { name: 'a number', headers: { date: String(NOW) } },
    { name: 'local time', headers: { date: 'Thu, 01 Jan 2026 12:00:00 +0800' } },
    { name: 'another weekday', headers: { date: 'Fri, 01 Jan 2026 12:00:00 GMT' } },
    { name: 'no date that exists', headers: { date: 'Mon, 30 Feb 2026 12:00:00 GMT' } },
    { name: 'beyond time', headers: { date: 'Thu, 01 Jan 999999 12:00:00 GMT' } },
    { name: 'with more behind', headers: { date: `${at(0)} SENTINEL` } },
    { name: 'of a megabyte', headers: { date: `${at(0)}${' '.repeat(1_000_000)}` } },
  ]
  for (const { name, headers } of rows) {
    t.strictSame(offsetOf(headers), { offset: undefined, seconds: undefined }, name)
  }
})

t.test('the last date counts, and an answer without one changes nothing', async (t) => {
  const clock = createClockOffset(() => NOW)
  t.equal(clock.seconds(), undefined)
  clock.start()({ date: at(600_000) })
  t.equal(clock.seconds(), 600)
  t.equal(clock.start()({}), undefined)
  t.equal(clock.seconds(), 600)
  clock.start()({ date: at(0) })
  t.equal(clock.seconds(), 0)
})

t.test('a difference is told from five minutes on', async (t) => {
  for (const seconds of [undefined, 0, 299, -299]) t.equal(clockFault(seconds), undefined, String(seconds))
  t.match(clockFault(5400), { clockOffsetSeconds: 5400, hint: /machine is 90 minutes behind the clock of STS/u })
  t.match(clockFault(-300), { clockOffsetSeconds: -300, hint: /machine is 5 minutes ahead of the clock of STS/u })
})
