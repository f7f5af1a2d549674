import t from 'tap'
import { listen } from '../helpers/listen.ts'
import { ask, success } from './aws-harness.ts'
import { NOW } from './harness.ts'

const HOUR_MS = 3_600_000

t.test('an expiration is never told later than it is, nor later than was asked for', async (t) => {
  const at = (text: string) => Date.parse(text)
  const rows: [name: string, written: string, want: number | 'upstream_unavailable'][] = [
    ['to the second', '2026-01-01T00:30:00Z', at('2026-01-01T00:30:00Z')],
    ['with milliseconds', '2026-01-01T00:30:00.999Z', at('2026-01-01T00:30:00.999Z')],
    ["with Ceph's nanoseconds", '2026-01-01T00:30:00.123999999Z', at('2026-01-01T00:30:00.123Z')],
    ['with one digit', '2026-01-01T00:30:00.5Z', at('2026-01-01T00:30:00.500Z')],
    ['a little later than asked for', '2026-01-01T01:00:01Z', NOW + HOUR_MS],
    ['in ten years', '2036-01-01T00:00:00Z', NOW + HOUR_MS],
    ['in the year 9999', '9999-12-31T23:59:59.999Z', NOW + HOUR_MS],
    ['in a second', '2026-01-01T00:00:01Z', NOW + 1000],
    ['now', '2026-01-01T00:00:00Z', 'upstream_unavailable'],
    ['a day ago', '2025-12-31T00:00:00Z', 'upstream_unavailable'],
    ['another zone', '2026-01-01T00:30:00+08:00', 'upstream_unavailable'],
    ['no zone', '2026-01-01T00:30:00', 'upstream_unavailable'],
    ["JD Cloud's form", '2026-01-01 00:30:00', 'upstream_unavailable'],
    ['30 February', '2026-02-30T00:30:00Z', 'upstream_unavailable'],
    ['24 o’clock', '2026-01-01T24:00:00Z', 'upstream_unavailable'],
    ['ten digits', '2026-01-01T00:30:00.1234567890Z', 'upstream_unavailable'],
    ['seconds since 1970', '1798765432', 'upstream_unavailable'],
    ['nothing', '', 'upstream_unavailable'],
  ]
  for (const [name, Expiration, want] of rows) {
    const endpoint = await listen(t, (_request, response) => response.end(success({ Expiration })))
    t.match(await ask(t, endpoint), typeof want === 'number' ? { expiresAt: want } : { code: want }, name)
  }
})
