import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Policy } from './iam/policy.ts'
import type { Clock, Role } from './world.ts'

/** Temporary credentials that the sandbox's STS paid out, with what they may do. */
export type Session = Readonly<{
  accessKey: string
  secretKey: string
  sessionToken: string
  role: Role
  sessionName: string
  /** None means that the session may do all that its role may. */
  policy: Policy | undefined
  /** Epoch milliseconds. */
  expiresAt: number
}>

/** What a pair of access key and session token is worth. */
export type SessionLookup =
  /** `expired` comes with its session too: only a right signature may learn that it is. */
  { status: 'valid' | 'expired'; session: Session } | { status: 'mismatch' | 'unknown' }

/**
 * The sessions that are alive, in a table on the server's side: a token is nothing but 384 random bytes, so there is
 * nothing in it to tamper with, and it opens only the access key that it was issued with.
 */
export function createSessionStore(clock: Clock) {
  const sessions = new Map<string, Session>()

  return {
    issue(grant: Pick<Session, 'role' | 'sessionName' | 'policy'>, durationSeconds: number): Session {
      const session = {
        ...grant,
        accessKey: `JDC_${randomBytes(14).toString('hex').toUpperCase()}`,
        secretKey: randomBytes(16).toString('hex').toUpperCase(),
        sessionToken: randomBytes(384).toString('base64'),
        // Whole seconds, because STS tells the expiry in whole seconds.
        expiresAt: Math.floor(clock() / 1000 + durationSeconds) * 1000,
      }
      sessions.set(session.accessKey, session)
      return session
    },

    lookup(accessKey: string, sessionToken: string): SessionLookup {
      const session = sessions.get(accessKey)
      if (!session) return { status: 'unknown' }
      const given = Buffer.from(sessionToken)
      const expected = Buffer.from(session.sessionToken)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { status: 'mismatch' }
      if (clock() >= session.expiresAt) return { status: 'expired', session }
      return { status: 'valid', session }
    },

    /** Whether an access key belongs to a session, so that using it without its token can be told from a typo. */
    knows: (accessKey: string): boolean => sessions.has(accessKey),
  }
}

export type SessionStore = ReturnType<typeof createSessionStore>
