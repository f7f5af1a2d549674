import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { closable } from '../../src/lib/clock.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { guard } from '../../src/sessions/guard.ts'
import { createNewSessions } from '../../src/sessions/new-sessions.ts'
import { createLocalRate } from '../../src/sessions/rate.ts'
import { stsSessions } from '../../src/sessions/sts-sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { manualClock, settle } from '../helpers/clock.ts'
import {
  countingSource,
  credentials,
  denied,
  failure,
  grantOf,
  heldSource,
  needsOf,
  OWNER,
  quietLogger,
  throttled,
} from '../helpers/vending.ts'

type Options = Readonly<{ limit?: number; newSessionsPerMinute: number }>

/** STS behind its guard, on a clock of the test's own. */
function setUp(t: Test, source: CredentialSource, { limit = 4, newSessionsPerMinute }: Options) {
  const clock = manualClock()
  const metrics = sessionMetrics(new Registry())
  const dependencies = {
    clock: closable(clock),
    target: 'default',
    metrics,
    newSessions: createNewSessions({ max: newSessionsPerMinute, monotonic: clock.monotonic, metrics }),
    logger: quietLogger(),
    rate: createLocalRate(1000, clock.monotonic),
    maxRps: 1000,
    connections: limit,
    timeoutMs: 4000,
    deadlineMs: 5000,
    minValidityMs: 900_000,
    random: () => 1,
  }
  const guarded = guard(stsSessions(source, dependencies), dependencies)
  const ask = (deadlineMs = 5000, background = false, owner = OWNER) =>
    failure(guarded.session(grantOf(), needsOf(clock.monotonic() + deadlineMs, { owner, background })))
  t.teardown(() => {
    if (clock.timers() > 0) throw new Error('a timer is left')
  })
  return { clock, ask }
}

t.test('new sessions of one caller are limited, and those that made no call are not counted', async (t) => {
  const rows: { name: string; answers: ('ok' | 'denied' | 'throttled')[]; background?: boolean; want: unknown[] }[] = [
    { name: 'what brought a session', answers: ['ok', 'ok', 'ok'], want: [undefined, undefined, 'rate_limited'] },
    {
      name: 'what STS refused',
      answers: ['denied', 'denied', 'ok'],
      want: ['upstream_denied', 'upstream_denied', 'rate_limited'],
    },
    {
      name: 'what failed, with its repeats once',
      answers: ['throttled', 'throttled', 'throttled', 'ok', 'ok'],
      want: ['upstream_unavailable', undefined, 'rate_limited'],
    },
    { name: 'no refresh', answers: ['ok', 'ok', 'ok'], background: true, want: [undefined, undefined, undefined] },
  ]
  const errors = { denied, throttled }
  for (const { name, answers, background = false, want } of rows) {
    t.test(name, async (t) => {
      const sts = countingSource(Date.now, (call) => {
        const answer = answers[call - 1] ?? 'ok'
        return answer === 'ok' ? undefined : Promise.reject(errors[answer]())
      })
      const { clock, ask } = setUp(t, sts.source, { newSessionsPerMinute: 2 })
      const codes: unknown[] = []
      for (const _ of want) {
        const asked = ask(5000, background)
        await clock.advance(1000)
        const { code } = { code: undefined, ...(await asked) }
        codes.push(code)
      }
      t.strictSame(codes, want)
    })
  }
  t.test('a caller of the same name at another issuer is another one', async (t) => {
    const sts = countingSource(Date.now)
    const { ask } = setUp(t, sts.source, { newSessionsPerMinute: 1 })
    const vend = (issuer: string) => ask(5000, false, { ...OWNER, issuer })
    t.equal(await vend('app'), undefined)
    t.equal(await vend('partner'), undefined)
    t.match(await vend('app'), { code: 'rate_limited' })
  })
  t.test('those who were turned away', async (t) => {
    const { asked, source } = heldSource()
    const { clock, ask } = setUp(t, source, { limit: 1, newSessionsPerMinute: 2 })
    const first = ask()
    await clock.advance(3000)
    for (let n = 0; n < 5; n++) t.match(await ask(2000), { code: 'upstream_unavailable' })
    asked[0]?.pay(credentials(1, clock.now() + 3_600_000))
    await first
    const second = ask()
    await settle()
    asked[1]?.pay(credentials(2, clock.now() + 3_600_000))
    t.equal(await second, undefined)
    t.match(await ask(), { code: 'rate_limited', retryAfterSeconds: 57 })
  })
})
