import type { Caller } from '../../src/identity/caller.ts'
import type { Catalogue } from '../../src/policy/check/catalogue.ts'
import type { Grant } from '../../src/policy/grant/grant.ts'
import type { Session } from '../../src/sessions/session.ts'
import type { Needs, SessionSource } from '../../src/sessions/session-source.ts'
import { createSigning } from '../../src/vending/signing.ts'
import type { UrlsRequest } from '../../src/vending/signing-request.ts'
import { manualClock } from '../helpers/clock.ts'
import { settings } from '../helpers/templates.ts'
import { credentials } from '../helpers/vending.ts'

export const STORE = { endpoint: 'https://s3.example.test', region: 'cn-north-1', bucket: 'test-app' }

type Options = Readonly<{
  boundToToken?: boolean
  minValiditySeconds?: number
  session?: Partial<Session>
  before?: () => void
}>

/** A counter for signatures, whose sessions are recorded and not fetched. */
export function setUpSigning(
  templates: Catalogue,
  { boundToToken = false, minValiditySeconds = 900, session = {}, before }: Options = {},
) {
  const clock = manualClock(Date.UTC(2026, 0, 1) + 250)
  const asked: { grant: Grant; needs: Needs }[] = []
  const sessions: SessionSource = {
    async session(grant, needs) {
      before?.()
      asked.push({ grant, needs })
      const lengthMs = grant.durationSeconds * 1000
      const whole = { ...credentials(asked.length, clock.now() + lengthMs), endsAt: clock.monotonic() + lengthMs }
      return { ...whole, lengthMs, from: 'sts', ...session }
    },
    close: async () => {},
  }
  const targets = new Map([['default', { settings, oss: STORE }]])
  const limits = { minValiditySeconds, deadlineMs: 5000, boundToToken }
  const signing = createSigning({ catalogue: () => templates, targets, sessions, clock, ...limits })
  const alice = (claims: Record<string, unknown> = {}, seconds = 7200): Caller => ({
    issuer: 'app',
    subject: 'alice',
    claims: { sub: 'alice', ...claims },
    expiresAt: clock.now() + seconds * 1000,
  })
  return { clock, asked, signing, alice }
}

/** A request for one URL. */
export const put = (key: string, more: Readonly<{ policy?: string; expiresInSeconds?: number }> = {}): UrlsRequest => ({
  policy: 'mine',
  operation: 'PutObject',
  expiresInSeconds: 900,
  key,
  ...more,
})
