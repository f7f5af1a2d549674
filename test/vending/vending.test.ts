import t from 'tap'
import type { Caller } from '../../src/identity/caller.ts'
import type { Catalogue } from '../../src/policy/check/catalogue.ts'
import type { Grant } from '../../src/policy/grant/grant.ts'
import type { Needs, SessionSource } from '../../src/sessions/session-source.ts'
import { createVending } from '../../src/vending/vending.ts'
import { manualClock } from '../helpers/clock.ts'
import { settings, statement, template } from '../helpers/templates.ts'
import { credentials, failure } from '../helpers/vending.ts'

/** A counter with these templates, whose sessions are recorded and not fetched. */
function setUp(templates: Catalogue, { boundToToken = false, lengthMs = 3_600_000 } = {}) {
  const clock = manualClock()
  const asked: { grant: Grant; needs: Needs }[] = []
  const sessions: SessionSource = {
    async session(grant, needs) {
      asked.push({ grant, needs })
      const endsAt = clock.monotonic() + lengthMs
      return { ...credentials(asked.length, clock.now() + lengthMs), endsAt, lengthMs, from: 'sts' }
    },
    close: async () => {},
  }
  const targets = new Map([['default', settings]])
  const limits = { minValiditySeconds: 900, deadlineMs: 5000, boundToToken }
  const vending = createVending({ catalogue: () => templates, targets, sessions, clock, ...limits })
  const alice = (claims: Record<string, unknown> = {}, seconds = 7200): Caller => ({
    issuer: 'app',
    subject: 'alice',
    claims: { sub: 'alice', ...claims },
    expiresAt: clock.now() + seconds * 1000,
  })
  return { clock, asked, vending, alice }
}

const mine = new Map([['mine', template()]])

t.test('nothing is fetched for a caller who is refused', async (t) => {
  const open = template({ allow: { claims: { scope: ['oss.upload'] } } })
  const { vending, asked, alice } = setUp(new Map([['mine', open]]))
  t.match(await failure(vending.vend(alice(), { policy: 'other' })), { code: 'policy_not_found' })
  t.match(await failure(vending.vend(alice(), { policy: 'mine' })), { code: 'policy_not_allowed' })
  const upload = alice({ scope: 'oss.upload' })
  t.match(await failure(vending.vend(upload, { policy: 'mine', minValiditySeconds: 1801 })), {
    code: 'invalid_request',
  })
  t.strictSame(asked, [])
  t.equal((await vending.vend(upload, { policy: 'mine' })).grant.prefixes[0], 'users/alice/')
})

t.test('conditions are checked on each vend, however recently the same caller asked for the same', async (t) => {
  const timed = template({ allow: { claims: { until: { atLeast: 'now' } } } })
  const { vending, clock, alice } = setUp(new Map([['mine', timed]]))
  const caller = alice({ until: Math.floor(clock.now() / 1000) + 10 })
  t.equal((await vending.vend(caller, { policy: 'mine' })).session.from, 'sts')
  await clock.advance(11_000)
  t.match(await failure(vending.vend(caller, { policy: 'mine' })), { code: 'policy_not_allowed' })
})

t.test('a template that is loaded anew is filled in anew', async (t) => {
  const templates = new Map(mine)
  const { vending, alice } = setUp(templates)
  t.strictSame((await vending.vend(alice(), { policy: 'mine' })).grant.prefixes, ['users/alice/'])
  templates.set('mine', template({ policy: { Version: '3', Statement: [statement('people/${jwt:sub}/*')] } }))
  t.strictSame((await vending.vend(alice(), { policy: 'mine' })).grant.prefixes, ['people/alice/'])
})

t.test('sessions are asked for what the caller needs, and the service promises', async (t) => {
  const { vending, clock, asked, alice } = setUp(mine)
  await clock.advance(1000)
  const rows = [
    { request: {}, deadlineMs: undefined, want: { validityMs: 900_000, until: 6000 } },
    { request: { minValiditySeconds: 1800 }, deadlineMs: 900, want: { validityMs: 1_800_000, until: 1900 } },
    { request: { minValiditySeconds: 10 }, deadlineMs: 60_000, want: { validityMs: 900_000, until: 6000 } },
  ]
  for (const { request, deadlineMs, want } of rows) {
    await vending.vend(alice(), { policy: 'mine', ...request }, deadlineMs)
    t.match(asked.at(-1)?.needs, { owner: { issuer: 'app', subject: 'alice' }, ...want })
  }
})

t.test('a session that would outlive its token is not handed out', async (t) => {
  const { vending, asked, alice } = setUp(mine, { boundToToken: true, lengthMs: 7_200_001 })
  t.strictSame(await failure(vending.vend(alice(), { policy: 'mine' })), {
    code: 'upstream_unavailable',
    retryAfterSeconds: 60,
  })
  t.equal(asked.length, 1)
  const unbound = setUp(mine, { lengthMs: 7_200_001 })
  t.ok(await unbound.vending.vend(unbound.alice(), { policy: 'mine' }))
})
