import t from 'tap'
import { configFaults, faultLines } from '../helpers/config-faults.ts'

const CACHE_ENCRYPTION_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 5 * index ** 2)).toString('base64')
const REFUSED = ['REDIS_URL: must not leave the machine in plain text']
const SECRET = 'SENTINEL-password'

const refused = [
  `redis://:${SECRET}@redis.test`,
  `redis://me:${SECRET}@10.0.0.1:6379`,
  `valkey://:${SECRET}@redis.test/3`,
  `redis://:${SECRET}@localhost.redis.test`,
  `redis://:${SECRET}@127.0.0.1.redis.test`,
  `redis://:${SECRET}@128.0.0.1`,
  `redis://:${SECRET}@0.0.0.0`,
  `redis://:${SECRET}@[::2]`,
  `redis://:${SECRET}@[::ffff:10.0.0.1]`,
  `redis://:${SECRET}@[fe80::1]`,
  // The sentinels and nodes on loopback may name others that are not.
  `redis+sentinel://:${SECRET}@127.0.0.1/main`,
  `redis+sentinel://10.0.0.1,127.0.0.1/main?sentinelPassword=${SECRET}`,
  `redis+cluster://:${SECRET}@127.0.0.1`,
  `redis+cluster://:${SECRET}@127.0.0.1,10.0.0.1`,
  'redis://redis.test',
  'valkey://10.0.0.1',
]
const accepted = [
  `redis://:${SECRET}@127.0.0.1`,
  `redis://:${SECRET}@127.1.2.3:7000/1`,
  `valkey://:${SECRET}@localhost`,
  `redis://:${SECRET}@[::1]`,
  'redis://127.0.0.1',
  `rediss://:${SECRET}@redis.test`,
  `valkeys://:${SECRET}@redis.test`,
  `rediss+sentinel://:${SECRET}@10.0.0.1/main?sentinelPassword=${SECRET}`,
  `rediss+cluster://:${SECRET}@10.0.0.1,10.0.0.2`,
]

for (const REDIS_URL of refused) {
  t.test(`${REDIS_URL} is refused unless it is allowed by name`, async (t) => {
    const env = { REDIS_URL, CACHE_ENCRYPTION_KEY }
    t.strictSame(faultLines(env), REFUSED)
    t.notMatch(JSON.stringify(configFaults(env)), SECRET)
    t.strictSame(faultLines({ ...env, REDIS_ALLOW_PLAINTEXT: 'false' }), REFUSED)
    t.strictSame(faultLines({ ...env, REDIS_ALLOW_PLAINTEXT: 'true' }), [])
  })
}

for (const REDIS_URL of accepted) {
  t.test(`${REDIS_URL} is good`, async (t) => t.strictSame(faultLines({ REDIS_URL, CACHE_ENCRYPTION_KEY }), []))
}

t.test('the switch is a word, and nothing like one', async (t) => {
  for (const value of ['1', 'yes', 'TRUE', 'on', ' true']) {
    const env = { REDIS_URL: 'redis://redis.test', CACHE_ENCRYPTION_KEY, REDIS_ALLOW_PLAINTEXT: value }
    t.match(faultLines(env), ['REDIS_ALLOW_PLAINTEXT: must be true or false', /^REDIS_URL: /u], value)
  }
})
