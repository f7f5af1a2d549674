import { randomBytes } from 'node:crypto'
import { figure } from '../capacity/figure.ts'
import { crowd } from '../lib/crowd.ts'
import { type Benchmark, exactly, type Finding } from '../lib/finding.ts'
import { startRedis } from '../lib/redis.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { startSts } from '../lib/sts.ts'
import { createSigningKey, mintToken } from '../lib/tokens.ts'
import { FIRST_THING, STS_MS, startFirstThing } from './first-thing.ts'

const SCALES = { full: { callers: 10_000, quota: 1000 }, small: { callers: 200, quota: 200 } } as const
const REPLICAS = 3

type Numbers = (typeof SCALES)[keyof typeof SCALES]

/**
 * Limits that this crowd would exceed. The cores also run the callers, STS and Redis, so the service may be
 * late by seconds.
 */
const roomFor = (callers: number) => ({
  MAX_CONNECTIONS: String(callers + 100),
  VEND_DEADLINE_MS: '8000',
  STS_TIMEOUT_MS: '8000',
  STS_CONNECT_TIMEOUT_MS: '5000',
})

/** The whole quota, and twice the connections that it needs at STS's usual speed. */
const allOf = (quota: number) => ({
  STS_MAX_RPS: String(quota),
  STS_CONNECTIONS: String(Math.ceil((2 * quota * STS_MS) / 1000)),
})

/** All callers want the same session, from one service or from several that share a Redis. */
async function oneGrant(replicas: number, { callers }: Numbers): Promise<Finding> {
  const key = createSigningKey('HS256')
  const sts = await startSts({ delayMs: STS_MS })
  const redis = replicas > 1 ? await startRedis() : undefined
  const environment = serviceEnvironment(
    { key, stsUrl: sts.url },
    {
      ...roomFor(callers),
      ...(redis && { REDIS_URL: redis.url, CACHE_ENCRYPTION_KEY: randomBytes(32).toString('base64') }),
    },
  )
  const services = await Promise.all(Array.from({ length: replicas }, () => startService(environment)))
  try {
    const tokens = Array<string>(callers).fill(mintToken(key, 'user-0'))
    const { served, answers } = await crowd({ urls: services.map(({ url }) => url), tokens, again: false })
    if (served !== callers) throw new Error(`not all callers were served: ${JSON.stringify(answers)}`)
    const { granted, refused } = await sts.calls()
    const calls = granted + refused
    return {
      what: `STS calls, ${figure(callers)} at once for one grant, ${replicas === 1 ? 'one replica' : `${replicas} replicas`}`,
      ours: figure(calls),
      rival: { name: 'the minimum', value: '1' },
      ratio: calls,
      better: 'less',
      floor: exactly(calls, 1),
    }
  } finally {
    await Promise.all([...services, sts, ...(redis ? [redis] : [])].map((server) => server.stop()))
  }
}

type Service = Readonly<{ url: string; stop(): Promise<void> }>

/** Each caller wants a session of its own and retries until it has one. STS refuses calls over its quota. */
async function manyGrants(
  { callers, quota }: Numbers,
  start: (key: ReturnType<typeof createSigningKey>, stsUrl: string) => Promise<Service>,
) {
  const key = createSigningKey('HS256')
  const sts = await startSts({ delayMs: STS_MS, quota })
  const service = await start(key, sts.url)
  try {
    const tokens = Array.from({ length: callers }, (_, caller) => mintToken(key, `user-${caller}`))
    const { served, answers, milliseconds } = await crowd({ urls: [service.url], tokens, again: true })
    if (served !== callers) throw new Error(`not all callers were served: ${JSON.stringify(answers)}`)
    const { granted, refused } = await sts.calls()
    return { seconds: milliseconds / 1000, calls: granted + refused }
  } finally {
    await Promise.all([service, sts].map((server) => server.stop()))
  }
}

/** The load of a push notification: all phones open the app. */
export const crowds: Benchmark = {
  name: 'crowd',
  summary: '10,000 callers at once, for one grant (one replica, and three with Redis) and for 10,000 grants',
  async run(scale) {
    const numbers = SCALES[scale]
    const { callers, quota } = numbers
    const alone = await oneGrant(1, numbers)
    const together = await oneGrant(REPLICAS, numbers)
    const ours = await manyGrants(numbers, (key, stsUrl) =>
      startService(serviceEnvironment({ key, stsUrl }, { ...roomFor(callers), ...allOf(quota) })),
    )
    const rival = await manyGrants(numbers, (key, stsUrl) => startFirstThing(key.environment.JWT_SECRET ?? '', stsUrl))
    const what = `${figure(callers)} at once for as many grants, ${figure(quota)} STS calls/s`
    return [
      alone,
      together,
      {
        what: `all callers served, ${what}`,
        ours: `${figure(ours.seconds)} s`,
        rival: { name: FIRST_THING, value: `${figure(rival.seconds)} s` },
        ratio: ours.seconds / rival.seconds,
        better: 'less',
      },
      {
        what: 'STS calls for them, with refused ones',
        ours: figure(ours.calls),
        rival: { name: FIRST_THING, value: figure(rival.calls) },
        ratio: ours.calls / rival.calls,
        better: 'less',
      },
    ]
  },
}
