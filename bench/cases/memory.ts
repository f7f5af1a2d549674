import { z } from 'zod'
import { figure } from '../capacity/figure.ts'
import { atLeast, atMostBytes, type Benchmark, type Finding } from '../lib/finding.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startWorker } from '../lib/worker.ts'

const SCALES = {
  full: { sizes: [1000, 10_000, 100_000, 1_000_000], asked: 1000, lookups: 500_000, rounds: 15 },
  small: { sizes: [1000, 10_000], asked: 1000, lookups: 10_000, rounds: 1 },
} as const
const MAX_BYTES = 1500
const FLAGS = ['--expose-gc', '--max-old-space-size=6144']

const readySchema = z.object({ bytes: z.number() })
const workSchema = z.object({ vends: z.number(), lookups: z.number() })

type Numbers = Readonly<{ asked: number; lookups: number }>

async function startHolder(kind: 'cache' | 'map', sessions: number, { asked, lookups }: Numbers) {
  const worker = await startWorker('bench/cases/memory-process.ts', { kind, sessions, asked, lookups }, FLAGS)
  const work = async () => workSchema.parse(await worker.work())
  return { bytes: readySchema.parse(worker.ready).bytes, work, stop: worker.stop }
}

/** Memory for a session that is held, and what looking one up costs while their number grows. */
export const memory: Benchmark = {
  name: 'memory',
  summary: 'memory for each of up to 1,000,000 cached sessions, and look-ups as the cache grows',
  async run(scale) {
    const { sizes, rounds, ...numbers } = SCALES[scale]
    const [smallest, ...larger] = sizes
    const most = Math.max(...sizes)
    const map = await startHolder('map', most, numbers)
    await map.stop()
    const few = await startHolder('cache', smallest, numbers)
    const grown: Finding[] = []
    let bytes = Number.NaN
    try {
      for (const sessions of larger) {
        const many = await startHolder('cache', sessions, numbers)
        try {
          bytes = many.bytes
          await inTurns(3, many.work, few.work)
          const { ours, rival } = await inTurns(rounds, many.work, few.work)
          const compare = (what: string, by: 'vends' | 'lookups'): Finding => {
            const [our, their] = [ours, rival].map((rounds) => median(rounds.map((round) => round[by])))
            return {
              what: `${what}, ${figure(sessions)} sessions`,
              ours: `${figure(our ?? Number.NaN)}/s`,
              rival: { name: `the same, ${figure(smallest)} sessions`, value: `${figure(their ?? Number.NaN)}/s` },
              ratio: (our ?? Number.NaN) / (their ?? Number.NaN),
              better: 'more',
            }
          }
          const vends = compare('vends without HTTP', 'vends')
          // Nothing but the processor's cache misses: a look-up has so little else to do.
          grown.push({ ...vends, floor: atLeast(vends.ratio, 0.9) }, compare('bare look-ups', 'lookups'))
        } finally {
          await many.stop()
        }
      }
    } finally {
      await few.stop()
    }
    return [
      {
        what: `memory for each of ${figure(most)} sessions`,
        ours: `${figure(Math.round(bytes))} B`,
        rival: { name: 'a Map without bounds or ends', value: `${figure(Math.round(map.bytes))} B` },
        ratio: bytes / map.bytes,
        better: 'less',
        floor: atMostBytes(bytes, MAX_BYTES, map.bytes),
      },
      ...grown,
    ]
  },
}
