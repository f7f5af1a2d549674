import { z } from 'zod'
import { parseRedisUrl } from '../../lib/redis.ts'
import { KEY_BYTES, randomKeys } from '../random-key.ts'
import { flag, type Group, integer } from '../setting.ts'

const redisAddress = z.string().transform((url, context) => {
  const address = parseRedisUrl(url)
  if (address) return address
  context.addIssue({ code: 'custom', message: 'is not an address of Redis' })
  return z.NEVER
})

/** Where sessions are kept until they expire. */
export const cache = {
  CACHE_MAX_ENTRIES: {
    help: 'Most sessions in memory; the least recently used are dropped first. One takes about 1.4 kB.',
    ...integer(1, 5_000_000),
    default: '100000',
    remedy: 'set the most sessions in memory',
  },
  CACHE_MAX_MB: {
    help: 'Memory for these sessions, in MiB.',
    ...integer(1, 65_536),
    default: '256',
    remedy: 'set the most memory for sessions, in MiB',
  },
  CACHE_MIN_VALIDITY_SECONDS: {
    help: 'A caller receives a session only with at least this many seconds left. Below 900, AWS SDKs refresh on each call.',
    ...integer(900, 1800),
    default: '900',
    remedy: 'set the least seconds that a session has left when a caller receives it',
  },
  REDIS_URL: {
    help: 'Redis or Valkey through which replicas share sessions, rate limits and STS_MAX_RPS: redis://127.0.0.1:6379, or by TLS rediss://:password@host:6379. For Sentinel and Cluster see docs/configuration.md.',
    secret: true,
    schema: redisAddress,
    unset: 'each replica works alone',
    rule: 'must be the address of a Redis or Valkey',
    remedy: 'write rediss://:password@host:6379; for Sentinel and Cluster see docs/configuration.md',
  },
  REDIS_ALLOW_PLAINTEXT: {
    help: 'Allows plain redis:// to another machine. Others can then read the password on the way; without a password, anyone who reaches Redis can write to it. Use it only in a network that keeps others out.',
    ...flag,
    default: 'false',
    remedy: 'leave it out, and reach Redis by TLS',
  },
  CACHE_ENCRYPTION_KEY: {
    help: 'Key that seals the sessions in Redis, the same for all replicas: openssl rand -base64 32. To change it, list several, separated by commas: the first one seals, all of them open.',
    secret: true,
    schema: randomKeys,
    required: { with: 'REDIS_URL' },
    rule: `must be ${KEY_BYTES} random bytes in base64, or several such keys separated by commas`,
    remedy: 'generate one, the same for all replicas: openssl rand -base64 32',
  },
} satisfies Group
