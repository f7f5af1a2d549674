import { figure } from '../capacity/figure.ts'
import { atLeast, atMost, type Benchmark } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import { startServer } from '../lib/server.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startSts } from '../lib/sts.ts'
import { createSigningKey, mintToken } from '../lib/tokens.ts'

/** Name of this rival in the tables: what a team would write first. */
export const FIRST_THING = 'Fastify, @fastify/jwt, jdcloud-sdk-js on each request'

/** Duration of an STS call. */
export const STS_MS = 50
const CALLERS = 100
const CONNECTIONS = 16
const SCALES = { full: { rounds: 7, seconds: 4 }, small: { rounds: 1, seconds: 1 } } as const

/** Starts the rival with an STS behind it. */
export const startFirstThing = (secret: string, stsUrl: string) =>
  startServer({
    file: 'bench/servers/first-thing.ts',
    args: (port) => [JSON.stringify({ port, secret, stsUrl })],
  })

/** Callers that ask again during their session, as apps do. */
export const firstThing: Benchmark = {
  name: 'first-thing',
  summary: 'returning callers, compared with what a team would write first; STS takes 50 ms',
  async run(scale) {
    const { rounds, seconds } = SCALES[scale]
    const key = createSigningKey('HS256')
    const tokens = Array.from({ length: CALLERS }, (_, caller) => mintToken(key, `user-${caller}`))
    const sts = await startSts({ delayMs: STS_MS })
    const service = await startService(serviceEnvironment({ key, stsUrl: sts.url }))
    const first = await startFirstThing(key.environment.JWT_SECRET ?? '', sts.url)
    try {
      const against = (url: string) => () => load({ url, tokens, connections: CONNECTIONS, seconds })
      await inTurns(1, against(service.url), against(first.url))
      const { ours, rival } = await inTurns(rounds, against(service.url), against(first.url))
      const throughput = [ours, rival].map((loads) => median(loads.map(({ perSecond }) => perSecond)))
      const latency = [ours, rival].map((loads) => median(loads.map(({ p99 }) => p99)))
      const ratioOf = ([ratio = Number.NaN, by = Number.NaN]: readonly number[]) => ratio / by
      const [rate, p99] = [ratioOf(throughput), ratioOf(latency)]
      const show = (values: readonly number[], unit: string) => values.map((value) => `${figure(value)}${unit}`)
      const [ourRate = '', theirRate = ''] = show(throughput, '/s')
      const [ourP99 = '', theirP99 = ''] = show(latency, ' ms')
      return [
        {
          what: `vends, ${CONNECTIONS} connections`,
          ours: ourRate,
          rival: { name: FIRST_THING, value: theirRate },
          ratio: rate,
          better: 'more',
          floor: atLeast(rate, 10),
        },
        {
          what: `p99 of these vends`,
          ours: ourP99,
          rival: { name: FIRST_THING, value: theirP99 },
          ratio: p99,
          better: 'less',
          floor: atMost(p99, 0.1),
        },
      ]
    } finally {
      await Promise.all([service, first, sts].map((server) => server.stop()))
    }
  },
}
