import t from 'tap'
import { dangerOf } from '../../../src/policy/claims/pattern.ts'

const PATTERN = /^(?:[a-z]+)$/u

t.test('an analysis that waits for a processor is repeated with more time', async (t) => {
  const timeouts: number[] = []
  const starved = (_source: string, { timeout }: { timeout: number }) => {
    timeouts.push(timeout)
    return timeouts.length < 3 ? { safe: false, error: 'timedOut' } : { safe: true, error: null }
  }
  t.equal(dangerOf(PATTERN, starved), undefined)
  t.strictSame(timeouts, [1000, 2000, 4000])
})

t.test('an analysis that needs a second of a processor ends there', async (t) => {
  let calls = 0
  const endless = () => {
    calls++
    const { user, system } = process.cpuUsage()
    for (let used = 0; used < 1_010_000; ) {
      const now = process.cpuUsage()
      used = now.user + now.system - user - system
    }
    return { safe: false, error: 'timedOut' }
  }
  t.equal(dangerOf(PATTERN, endless), 'some texts make it run for exponential time')
  t.equal(calls, 1)
})

t.test('a dangerous pattern is not analysed again', async (t) => {
  let calls = 0
  const dangerous = () => {
    calls++
    return { safe: false, error: 'hitMaxScore' }
  }
  t.equal(dangerOf(PATTERN, dangerous), 'some texts make it run for exponential time')
  t.equal(calls, 1)
})
