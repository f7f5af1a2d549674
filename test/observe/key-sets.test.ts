import { Registry } from 'prom-client'
import t from 'tap'
import type { KeyFetch } from '../../src/identity/key-set.ts'
import { reportKeySets } from '../../src/observe/key-sets.ts'
import { captureLogs } from '../helpers/logs.ts'

const GOOD: KeyFetch = { result: 'ok', usable: true, keys: 1, dropped: [], lacking: 0 }
const failed = (result: string, usable = true): KeyFetch => ({ ...GOOD, result, usable })
const entry = (index: number) => ({ index, kid: `k${index}`, reason: 'private' })

/** What is logged when these fetches end one after the other: level and message. */
function logged(...fetches: KeyFetch[]) {
  const { logger, lines } = captureLogs()
  const report = reportKeySets({ logger, metrics: new Registry(), ages: () => [] })('app')
  for (const fetch of fetches) report(fetch)
  return lines().map(({ level, msg }) => `${level} ${msg}`)
}

t.test('a line is logged when something changes, and not again', async (t) => {
  const failing = '40 keys could not be fetched'
  const unused = '40 an entry of the key set is not used'
  const rows = [
    { name: 'good fetches', input: [GOOD, GOOD], want: [] },
    { name: 'a failure that lasts', input: [failed('timeout'), failed('timeout')], want: [failing] },
    { name: 'a failure that changes', input: [failed('timeout'), failed('http_500')], want: [failing, failing] },
    {
      name: 'a failure that ends',
      input: [failed('timeout'), GOOD, GOOD],
      want: [failing, '30 keys are fetched again'],
    },
    {
      name: 'a failure that outlasts the keys',
      input: [failed('timeout'), failed('timeout', false)],
      want: [failing, '50 keys could not be fetched, and there are none to use'],
    },
    {
      name: 'bad entries, that stay',
      input: Array(2).fill({ ...GOOD, dropped: [entry(0), entry(1)] }),
      want: [unused, unused],
    },
    {
      name: 'more bad entries than anybody reads',
      input: [{ ...GOOD, dropped: Array.from({ length: 100 }, (_, index) => entry(index)) }],
      want: Array(20).fill(unused),
    },
    {
      name: 'lost keys',
      input: [{ ...GOOD, lacking: 1 }],
      want: ['40 the key set lacks keys: it is fetched again to be sure'],
    },
    {
      name: 'no key',
      input: Array(2).fill({ ...GOOD, usable: false, keys: 0 }),
      want: ['50 the key set has no key that can be used'],
    },
  ]
  for (const { name, input, want } of rows) t.test(name, async (t) => t.strictSame(logged(...input), want))
})

t.test('metrics tell ages and outcomes, and a key server cannot make them grow', async (t) => {
  const metrics = new Registry()
  const ages = () => [
    { issuer: 'app', seconds: 12 },
    { issuer: 'new', seconds: undefined },
  ]
  const report = reportKeySets({ logger: captureLogs().logger, metrics, ages })('app')
  for (let status = 500; status < 600; status++) report(failed(`http_${status}`))
  report(GOOD)
  t.match(await metrics.metrics(), 'oss_vend_key_set_fetches_total{issuer="app",result="http_5xx"} 100')
  t.match(await metrics.metrics(), 'oss_vend_key_set_fetches_total{issuer="app",result="ok"} 1')
  t.match(await metrics.metrics(), 'oss_vend_key_set_age_seconds{issuer="app"} 12')
  t.notMatch(await metrics.metrics(), 'issuer="new"')
})
