import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import type { Catalogue } from '../../src/policy/check/catalogue.ts'
import type { GrantSettings } from '../../src/policy/grant/grant.ts'
import { cacheKey } from '../../src/sessions/cache-key.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { createSigning } from '../../src/vending/signing.ts'
import { manualClock } from '../helpers/clock.ts'
import { settings, statement, template } from '../helpers/templates.ts'
import { countingSource, onlyTarget, quietLogger } from '../helpers/vending.ts'
import { put, STORE } from './signing-harness.ts'

const files = template({
  policy: {
    Version: '3',
    Statement: [{ ...statement('users/${jwt:sub}/*'), Action: ['oss:PutObject', 'oss:GetObject'] }],
  },
})
const templates: Catalogue = new Map([
  ['mine', template()],
  ['files', { ...files, name: 'files' }],
])

/** Signing over the real chain of sessions, with an STS that counts. Each caller may cause one new session a minute. */
export function setUpShared(t: Test, clock = manualClock(), limitsOfSts: Partial<GrantSettings> = {}) {
  const { asked, source } = countingSource(clock.now)
  const sessions = createSessions(
    {
      maxEntries: 1000,
      maxBytes: 10_000_000,
      minValiditySeconds: 900,
      deadlineMs: 5000,
      maxRps: 100,
      connections: 10,
      timeoutMs: 4000,
      newSessionsPerMinute: 1,
    },
    {
      upstreams: onlyTarget(source),
      keyOf: (grant) => cacheKey('', grant),
      clock,
      random: () => 0.5,
      logger: quietLogger(),
      metrics: sessionMetrics(new Registry()),
    },
  )
  t.teardown(sessions.close)
  const targets = new Map([['default', { settings: { ...settings, ...limitsOfSts }, oss: STORE }]])
  const limits = { minValiditySeconds: 900, deadlineMs: 5000, boundToToken: false }
  const signing = createSigning({ catalogue: () => templates, targets, sessions, clock, ...limits })
  const sign = (subject: string, policy = 'mine', operation: 'PutObject' | 'GetObject' = 'PutObject') => {
    const caller = { issuer: 'app', subject, claims: { sub: subject }, expiresAt: clock.now() + 3_600_000 }
    return signing.signUrls(caller, { ...put(`users/${subject}/a`, { policy }), operation })
  }
  return { clock, asked, sign }
}

/** Signs once for each of so many callers, and returns how many keys were signed. */
export async function signForEach(
  sign: (subject: string) => ReturnType<ReturnType<typeof setUpShared>['sign']>,
  callers: number,
) {
  const keys = new Set<string>()
  for (let caller = 0; caller < callers; caller += 1000) {
    const told = await Promise.all(Array.from({ length: 1000 }, (_, i) => sign(`user-${caller + i}`)))
    for (const { signed } of told) keys.add(signed[0]?.key ?? '')
  }
  return keys.size
}
