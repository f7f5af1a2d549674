import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { AppDependencies } from '../../../src/app.ts'
import type { AssumeRoleRequest, CredentialSource } from '../../../src/sts/credentials.ts'
import { needsRedis, redisServer } from '../../helpers/redis.ts'
import { type Answer, everybody, people, rig } from './rig.ts'
import { watchCrashes } from './watch.ts'

const CALLERS = 200
const ROUNDS = 50
/** In 50 rounds five hours go by, so that each caller's session is renewed and ends several times. */
const ROUND_MS = 6 * 60_000
/** Too few places for everybody, so that those who change places drive out those who were there, and who come back. */
const PLACES = '120'

const crashes = watchCrashes()

/** An STS that remembers to whom it paid out what, and takes a moment over it, now longer and now shorter. */
function remembering(now: () => number) {
  const issued = new Map<string, AssumeRoleRequest>()
  const source: CredentialSource = {
    async assumeRole(request) {
      const number = issued.size
      const accessKey = `key-${number}`
      issued.set(accessKey, request)
      const expiresAt = now() + request.durationSeconds * 1000
      for (let turns = number % 4; turns > 0; turns--) await turn()
      return { accessKey, secretKey: `secret-${number}`, sessionToken: `token-${number}`, expiresAt }
    },
    close: async () => {},
  }
  return { issued, source }
}

/** What is wrong with an answer if it is not its caller's own, whole and through and through, or about to end. */
function strangeness(issued: ReadonlyMap<string, AssumeRoleRequest>, answer: Answer, now: number): string[] {
  const { sub, status, code, ms, credentials, grant } = answer
  if (status !== 200) return [`${sub} is refused: ${code} after ${Math.round(ms)} ms`]
  if (Date.parse(credentials.expiration) - now < 900_000) return [`${sub} has a session that is nearly over`]
  const name = `user-upload@${sub}`
  const resource = `jrn:oss:*:111111111111:test-app/users/${sub}/*`
  const { accessKey, secretKey, sessionToken } = credentials
  const paid = issued.get(accessKey)
  const policy = JSON.parse(paid?.policy ?? '{}')
  const [, number] = accessKey.split('-')
  const own =
    grant.roleSessionName === name &&
    grant.resources.join() === resource &&
    paid?.roleSessionName === name &&
    policy.Statement.length === 1 &&
    policy.Statement[0].Resource.join() === resource &&
    `${secretKey} ${sessionToken}` === `secret-${number} token-${number}`
  return own ? [] : [`${sub} has what was paid out to ${paid?.roleSessionName}`]
}

/** Everybody asks both replicas, at once, round after round; what is wrong with the answers, and how it came about. */
async function load(t: Tap, rounds: number, keyOf?: AppDependencies['keyOf']) {
  const { url } = await redisServer(t)
  let sts: ReturnType<typeof remembering> | undefined
  const setUp = await rig(t, {
    replicas: 2,
    env: { REDIS_URL: url, CACHE_MAX_ENTRIES: PLACES, VEND_DEADLINE_MS: '8000' },
    dependencies(_config, { now }) {
      sts ??= remembering(now)
      return { source: sts.source, ...(keyOf && { keyOf }) }
    },
  })
  const callers = people(CALLERS)
  const found: string[] = []
  const keys = new Set<string>()
  let answered = 0
  for (let round = 0; round < rounds; round++) {
    // Each half of the callers is at a replica of its own, and every few rounds they change places.
    const shift = Math.floor(round / 4)
    const [some, others] = [callers.filter((_, n) => (n + shift) % 2), callers.filter((_, n) => (n + shift + 1) % 2)]
    const both = [everybody(setUp, some), everybody(setUp, others, { replica: 1 })]
    for (const answer of (await Promise.all(both)).flat()) {
      answered++
      keys.add(answer.credentials?.accessKey)
      found.push(...strangeness(sts?.issued ?? new Map(), answer, setUp.truth()))
    }
    await setUp.idle()
    setUp.pass(ROUND_MS)
  }
  return { setUp, found, answered, sessions: keys.size }
}
type Tap = Parameters<typeof redisServer>[0]

t.test("nobody is ever given what is somebody else's", needsRedis, async (t) => {
  const { setUp, found, answered, sessions } = await load(t, ROUNDS)
  t.strictSame(found, [])
  t.equal(answered, CALLERS * ROUNDS)
  t.ok(sessions >= CALLERS * 5, `${sessions} sessions: they were renewed over and over`)
  const [metrics] = setUp.metrics
  const text = (await metrics?.metrics()) ?? ''
  t.match(text, /oss_vend_cache_entries 1(?:[01]\d|20)$/mu, 'and driven out')
  t.match(text, /oss_vend_shared_cache_lookups_total\{result="hit"\} [1-9]/u, 'and shared')
  t.match(text, /oss_vend_cache_refreshes_total\{result="ok"\} [1-9]/u, 'and renewed ahead')
  t.strictSame(crashes, [])
})

t.test('which this test would see', needsRedis, async (t) => {
  const weak: [string, NonNullable<AppDependencies['keyOf']>][] = [
    ['a key without the caller', ({ template, durationSeconds }) => JSON.stringify([template, durationSeconds])],
    ['a key that is cut short', ({ roleSessionName }) => roleSessionName.slice(0, -1)],
    ['a key of the length of things', ({ policy, roleSessionName }) => `${policy.length}-${roleSessionName.length}`],
  ]
  for (const [name, keyOf] of weak) {
    t.test(name, async (t) => {
      const { found } = await load(t, 1, keyOf)
      t.match(found[0], /^caller-\d+ has what was paid out to user-upload@caller-\d+$/u)
    })
  }
})
