import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createRedisEntries } from '../../src/sessions/redis-entry.ts'
import { createSeal } from '../../src/sessions/seal.ts'

const KEYS = [randomBytes(32)]
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** When the session began, by STS' clock and by Redis', which are an hour apart: only their differences may matter. */
const START = Date.UTC(2026, 0, 1)
const REDIS_START = START + HOUR
const NEED = 15 * MINUTE

/** A replica whose date is off by so much, `later` milliseconds after the session began. */
function replica({ later = 0, off = 0, keys = KEYS }) {
  const clock = { now: () => START + later + off, monotonic: () => 1000 + later }
  return createRedisEntries({ seal: createSeal(keys), clock })
}

const session = {
  accessKey: 'access',
  secretKey: 'secret',
  sessionToken: 'token',
  expiresAt: START + HOUR,
  endsAt: 1000 + HOUR,
}
const shared = replica({}).write('alice', session, { redis: REDIS_START, monotonic: 1000 })
if (!shared) throw new Error('nothing was written')
const { sealed, ttlMs } = shared

t.test('a session of an hour is written with an hour to live', async (t) => t.equal(ttlMs, HOUR))

type Row = Readonly<{
  name: string
  /** How long after the session began. */
  later: number
  /** By how much the date of this replica is wrong. */
  off?: number
  ttl: number
  /** By how much the clock of Redis was set since. */
  redisOff?: number
  key?: string
  bytes?: Buffer
  /** What it is taken for; of a session the minutes that it is handed out for. */
  want: string
}>

const resealed = (text: string) => createSeal(KEYS).seal('alice', text)
const olderVersion = Buffer.from(sealed)
olderVersion[0] = 1

const rows: Row[] = [
  { name: 'as it was left', later: 0, ttl: HOUR, want: 'sure 60' },
  { name: 'as it was left, later', later: 40 * MINUTE, ttl: 20 * MINUTE, want: 'sure 20' },
  { name: 'too little left', later: 50 * MINUTE, ttl: 10 * MINUTE, want: 'none' },
  { name: 'our date an hour back', later: 0, off: -HOUR, ttl: HOUR, want: 'sure 60' },
  { name: 'our date an hour ahead: for when STS refuses us', later: 0, off: HOUR, ttl: HOUR, want: 'doubtful 60' },
  { name: 'our date a year ahead', later: 20 * MINUTE, off: 365 * DAY, ttl: 40 * MINUTE, want: 'doubtful 40' },
  {
    name: 'our date 14 minutes back, near the end',
    later: 44 * MINUTE,
    off: -14 * MINUTE,
    ttl: 16 * MINUTE,
    want: 'sure 16',
  },
  { name: 'our date 14 minutes ahead', later: 0, off: 14 * MINUTE, ttl: HOUR, want: 'sure 46' },

  ...[-30 * DAY, -9 * HOUR, -14 * MINUTE, 0, 14 * MINUTE, 9 * HOUR].map((off) => ({
    name: `written again nine hours after its end, for 30 days, our date ${off / HOUR} h off`,
    later: 10 * HOUR,
    off,
    ttl: 30 * DAY,
    want: 'implausible',
  })),
  { name: 'written again for its own length', later: 10 * HOUR, off: -9.5 * HOUR, ttl: HOUR, want: 'implausible' },
  { name: 'written again while it lives', later: 20 * MINUTE, ttl: HOUR, want: 'implausible' },
  { name: 'to live for longer than it is long', later: 0, ttl: HOUR + 11_000, want: 'implausible' },
  { name: 'to live for a second longer', later: 0, off: -HOUR, redisOff: -2000, ttl: HOUR + 1000, want: 'sure 60' },
  { name: 'for ever', later: 0, ttl: -1, want: 'implausible' },
  { name: 'for ever, after its end', later: 10 * HOUR, off: -10 * HOUR, ttl: -1, want: 'implausible' },
  { name: 'for as long as a number can say', later: 0, ttl: Number.MAX_SAFE_INTEGER, want: 'implausible' },
  {
    name: 'a second longer: the way to Redis',
    later: 10 * MINUTE,
    off: -HOUR,
    ttl: 50 * MINUTE + 1000,
    want: 'sure 50',
  },
  { name: 'a shorter life is believed', later: 0, ttl: 20 * MINUTE, want: 'sure 20' },

  {
    name: 'the clock of Redis set back by an hour',
    later: 30 * MINUTE,
    redisOff: -HOUR,
    ttl: 90 * MINUTE,
    want: 'implausible',
  },
  { name: 'the clock of Redis set ahead', later: 0, redisOff: 30 * MINUTE, ttl: 30 * MINUTE, want: 'sure 30' },
  {
    name: 'set back, and written again: our date tells',
    later: 10 * HOUR,
    redisOff: -10 * HOUR,
    ttl: HOUR,
    want: 'doubtful 60',
  },

  { name: "under another grant's name", later: 0, ttl: HOUR, key: 'bob', want: 'ignored' },
  { name: 'of an older version', later: 0, ttl: HOUR, bytes: olderVersion, want: 'ignored' },
  { name: 'cut off', later: 0, ttl: HOUR, bytes: sealed.subarray(0, -1), want: 'ignored' },
  { name: 'with more behind it', later: 0, ttl: HOUR, bytes: Buffer.concat([sealed, Buffer.of(0)]), want: 'ignored' },
  {
    name: 'of another type, which Redis tells by one byte',
    later: 0,
    ttl: HOUR,
    bytes: Buffer.from('?'),
    want: 'ignored',
  },
  { name: 'as large as is read', later: 0, ttl: HOUR, bytes: Buffer.alloc(32 * 1024, 2), want: 'ignored' },
  {
    name: 'without an end inside',
    later: 0,
    ttl: HOUR,
    bytes: resealed('["a","b","c",9999999999999]'),
    want: 'ignored',
  },
  { name: 'with more inside', later: 0, ttl: HOUR, bytes: resealed('["a","b","c",1,2,3,4]'), want: 'ignored' },
  { name: 'with no numbers inside', later: 0, ttl: HOUR, bytes: resealed('["a","b","c",1,null,3]'), want: 'ignored' },
  { name: 'nothing', later: 0, ttl: -2, bytes: Buffer.alloc(0), want: 'none' },
]

for (const { name, later, off = 0, ttl, redisOff = 0, key = 'alice', bytes = sealed, want } of rows) {
  t.test(`an entry: ${name}`, async (t) => {
    const asked = 1000 + later
    const kept = { sealed: bytes, ttlMs: ttl, redisNow: REDIS_START + later + redisOff }
    const read = replica({ later, off }).read(key, kept, { needMs: NEED, asked })
    const taken =
      read.kind === 'session'
        ? `${read.sure ? 'sure' : 'doubtful'} ${(read.session.endsAt - asked) / MINUTE}`
        : read.kind
    t.equal(taken, want)
  })
}

t.test(
  'whatever the clocks say, nothing is taken for longer than the clock of Redis and the length allow',
  async () => {
    const span = { min: -40 * DAY, max: 40 * DAY }
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 * DAY }),
        fc.integer(span),
        fc.integer({ min: -1, max: 40 * DAY }),
        (later, off, ttl) => {
          const kept = { sealed, ttlMs: ttl, redisNow: REDIS_START + later }
          const read = replica({ later, off }).read('alice', kept, { needMs: NEED, asked: 1000 + later })
          return read.kind !== 'session' || (read.session.endsAt <= session.endsAt && ttl <= HOUR + 10_000)
        },
      ),
      { numRuns: 3000 },
    )
  },
)
