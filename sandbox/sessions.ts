import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Policy } from './iam/policy.ts'
import type { Clock, Role } from './world.ts'

/** Temporary credentials from the sandbox's STS, with their rights. */
export type Session = Readonly<{
  accessKey: string
  secretKey: string
  sessionToken: string
  role: Role
  sessionName: string
  /** Without one, the session may do all that its role may. */
  policy: Policy | undefined
  /** Epoch milliseconds. */
  expiresAt: number
}>

/** The result of a look-up by access key and session token. */
export type SessionLookup =
  /** `expired` has its session too, because only a client with a right signature may learn that it has expired. */
  { status: 'valid' | 'expired'; session: Session } | { status: 'mismatch' | 'unknown' }

/**
 * The live sessions, in a table on the server. A token is 384 random bytes, so it contains nothing to tamper with, and
 * it works only with its own access key.
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
        // Whole seconds, because STS sends expirations in whole seconds.
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

    /** Whether an access key belongs to a session. This tells a missing token from a mistyped key. */
    knows: (accessKey: string): boolean => sessions.has(accessKey),
  }
}

export type SessionStore = ReturnType<typeof createSessionStore>
