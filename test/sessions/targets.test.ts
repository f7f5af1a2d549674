import fc from 'fast-check'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { type ErrorCode, VendError } from '../../src/errors.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import type { Grant } from '../../src/policy/grant/grant.ts'
import { cacheKey } from '../../src/sessions/cache-key.ts'
import { createSessions, type SessionOptions } from '../../src/sessions/sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { manualClock } from '../helpers/clock.ts'
import { credentials, failure, grantOf, metric, needsOf, quietLogger } from '../helpers/vending.ts'

type Options = Partial<SessionOptions> &
  Readonly<{ quotas?: readonly [string, string]; silent?: boolean; failing?: ErrorCode }>

/** Two targets, whose sessions say in their token where they are from. */
function setUp(t: Test, { quotas = ['one', 'other'], silent = false, failing, ...options }: Options = {}) {
  const clock = manualClock()
  const metrics = new Registry()
  const asked: string[] = []
  const sourceOf = (target: string): CredentialSource => ({
    async assumeRole({ durationSeconds }) {
      asked.push(target)
      if (silent && target === 'acme') await new Promise(() => {})
      if (failing && target === 'acme') throw new VendError(failing)
      return { ...credentials(asked.length, clock.now() + durationSeconds * 1000), sessionToken: `of ${target}` }
    },
    close: async () => {},
  })
  const upstreams = new Map([
    ['acme', { source: sourceOf('acme'), quota: quotas[0] }],
    ['beta', { source: sourceOf('beta'), quota: quotas[1] }],
  ])
  const limits = { maxEntries: 1000, maxBytes: 1e7, minValiditySeconds: 900, deadlineMs: 5000, timeoutMs: 4000 }
  const sessions = createSessions(
    { ...limits, maxRps: 1000, connections: 2, newSessionsPerMinute: 0, ...options },
    {
      upstreams,
      // The scope is the same for both: two targets may have one STS and one role.
      keyOf: (grant) => cacheKey('scope', grant),
      clock,
      logger: quietLogger(),
      metrics: sessionMetrics(metrics),
      random: () => 0.5,
    },
  )
  t.teardown(sessions.close)
  const ask = (changes: Partial<Grant>, subject = 'alice') => {
    const owner = { issuer: 'app', subject }
    return sessions.session(grantOf('alice', changes), needsOf(clock.monotonic() + 5000, { owner }))
  }
  return { clock, metrics, asked, ask, sessions }
}

t.test('a session never comes from the cache of another target', async (t) => {
  // The clock stands still, so that all calls must fit into the first burst.
  const { asked, ask } = setUp(t, { maxRps: 10_000 })
  for (const _ of [1, 2]) {
    for (const target of ['acme', 'beta']) t.equal((await ask({ target })).sessionToken, `of ${target}`)
  }
  t.strictSame(asked, ['acme', 'beta'], 'and each is cached')
  const text = fc.constantFrom('', 'a', 'acme', 'beta', '4:acme')
  const parts = fc.record({
    target: fc.constantFrom('acme', 'beta'),
    template: text,
    roleSessionName: text,
    policy: text,
    resources: fc.array(text, { maxLength: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(parts, async (changes) => (await ask(changes)).sessionToken === `of ${changes.target}`),
    { numRuns: 500 },
  )
})

t.test('a silent STS holds no place of another target', async (t) => {
  const { clock, ask, metrics } = setUp(t, { silent: true, connections: 1 })
  const waiting = Array.from({ length: 5 }, (_, i) => failure(ask({ target: 'acme', roleSessionName: `${i}` }, `${i}`)))
  for (let i = 0; i < 5; i++) {
    t.equal((await ask({ target: 'beta', roleSessionName: `${i}` }, `${i}`)).sessionToken, 'of beta')
  }
  t.equal(await metric(metrics, 'oss_vend_sts_calls_running', { target: 'acme' }), 1)
  t.equal(await metric(metrics, 'oss_vend_sts_calls_running', { target: 'beta' }), 0)
  await clock.advance(5000)
  for (const error of await Promise.all(waiting)) t.match(error, { code: /^upstream_/u })
})

t.test('targets of one account share its rate, and others do not', async (t) => {
  for (const { quotas, want } of [
    { quotas: ['same', 'same'] as const, want: 1 },
    { quotas: ['one', 'other'] as const, want: 2 },
  ]) {
    const { clock, asked, ask } = setUp(t, { quotas, maxRps: 1 })
    const both = Promise.all([ask({ target: 'acme' }), ask({ target: 'beta' }, 'bob')])
    await clock.advance(0)
    t.equal(asked.length, want, quotas.join(' '))
    await clock.advance(3000)
    await both
  }
})

t.test('the limit of new sessions counts a caller once, whatever the target', async (t) => {
  const { ask } = setUp(t, { newSessionsPerMinute: 1 })
  await ask({ target: 'acme' })
  t.match(await failure(ask({ target: 'beta' })), { code: 'rate_limited' })
  t.equal((await ask({ target: 'beta' }, 'bob')).sessionToken, 'of beta')
})

const LIMITED = ['rate_limited', 'rate_limited']
for (const { code, after } of [
  { code: 'upstream_denied', after: LIMITED },
  { code: 'upstream_timeout', after: LIMITED },
  // Five failures, with repeats, open the breaker. What it turns away makes no call.
  { code: 'upstream_unavailable', after: ['upstream_unavailable', 'upstream_unavailable'] },
] as const) {
  t.test(`what fails with ${code} at one target leaves the caller its sessions of the other`, async (t) => {
    const { clock, ask } = setUp(t, { newSessionsPerMinute: 3, failing: code })
    const outcomes: unknown[] = []
    for (let n = 0; n < 5; n++) {
      const asked = failure(ask({ target: 'acme', roleSessionName: `${n}` }))
      await clock.advance(1000)
      outcomes.push((await asked)?.code)
    }
    t.strictSame(outcomes, [code, code, code, ...after], 'at its own target they count')
    for (let n = 0; n < 3; n++) {
      t.equal((await ask({ target: 'beta', roleSessionName: `${n}` })).sessionToken, 'of beta')
    }
    t.match(await failure(ask({ target: 'beta', roleSessionName: '3' })), { code: 'rate_limited' })
    await clock.advance(60_000)
    const asked = failure(ask({ target: 'acme', roleSessionName: '5' }))
    await clock.advance(1000)
    t.match(await asked, { code })
  })
}

t.test('a grant for no target brings no session', async (t) => {
  const { ask, asked } = setUp(t)
  for (const target of ['', 'gamma', '__proto__', 'constructor']) {
    const error: unknown = await ask({ target }).catch((error: unknown) => error)
    t.ok(error instanceof Error && !(error instanceof VendError), target)
  }
  t.strictSame(asked, [])
})
