import { figure } from '../capacity/figure.ts'
import { atLeast, type Benchmark, type Finding, type Scale } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import type { Server } from '../lib/server.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startSts } from '../lib/sts.ts'
import { createSigningKey, mintToken } from '../lib/tokens.ts'
import { answerOf } from '../lib/vend.ts'

const SCALES = {
  full: { many: 100_000, few: 1000, warmUps: 2, rounds: 5, seconds: 2 },
  small: { many: 1000, few: 100, warmUps: 1, rounds: 1, seconds: 1 },
} as const
const CONNECTIONS = 32

/** The cost of a vend, and the memory of a session, when the cache holds many sessions. */
export const manySessions: Benchmark = {
  name: 'many-sessions',
  summary: 'vends by 1,000 callers with 100,000 sessions in the cache, compared with 1,000; memory of a session',
  async run(scale: Scale) {
    const { many, few, warmUps, rounds, seconds } = SCALES[scale]
    const key = createSigningKey('HS256')
    const tokenOf = (caller: number) => mintToken(key, `user-${caller}`)
    const tokens = Array.from({ length: few }, (_, index) => tokenOf(Math.floor((index * many) / few)))
    const sts = await startSts({ delayMs: 0 })
    const environment = serviceEnvironment({ key, stsUrl: sts.url }, { STS_MAX_RPS: '10000', STS_CONNECTIONS: '64' })
    const [large, small] = await Promise.all([startService(environment), startService(environment)])
    try {
      await inParallel(tokens, (token) => answerOf(small.url, token))
      await inParallel(tokens, (token) => answerOf(large.url, token))
      const before = await large.rss()
      const others = Array.from({ length: many }, (_, caller) => caller).filter((caller) => caller % (many / few) !== 0)
      await inParallel(others, (caller) => answerOf(large.url, tokenOf(caller)))
      const bytes = ((await large.rss()) - before) / others.length
      const against = (server: Server) => async () => {
        const cpu = await server.cpu()
        const { answers, perSecond } = await load({ url: server.url, tokens, connections: CONNECTIONS, seconds })
        return { perSecond, perCpuSecond: answers / ((await server.cpu()) - cpu) }
      }
      await inTurns(warmUps, against(large), against(small))
      const { ours, rival } = await inTurns(rounds, against(large), against(small))
      const finding = (unit: string, by: 'perSecond' | 'perCpuSecond'): Finding => {
        const of = (side: typeof ours) => median(side.map((round) => round[by]))
        const [mine, theirs] = [of(ours), of(rival)]
        return {
          what: `vends with ${figure(many)} sessions, ${unit}`,
          ours: `${figure(mine)}/s`,
          rival: { name: `the same, ${figure(few)} sessions`, value: `${figure(theirs)}/s` },
          ratio: mine / theirs,
          better: 'more',
          floor: atLeast(mine / theirs, 0.9),
        }
      }
      return [
        finding('throughput', 'perSecond'),
        finding('per processor second', 'perCpuSecond'),
        {
          what: `resident memory of each of ${figure(many)} sessions`,
          ours: `${figure(Math.round(bytes))} B`,
          rival: { name: 'the texts of a session alone', value: `${SESSION_TEXT_BYTES} B` },
          ratio: bytes / SESSION_TEXT_BYTES,
          better: 'less',
        },
      ]
    } finally {
      await Promise.all([large, small, sts].map((server) => server.stop()))
    }
  },
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
}

/** Access key, secret key and session token, as the STS of the benchmarks makes them. */
const SESSION_TEXT_BYTES = 32 + 32 + 800
