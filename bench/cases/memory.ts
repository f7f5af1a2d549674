import { z } from 'zod'
import { figure } from '../capacity/figure.ts'
import { atLeast, atMostBytes, type Benchmark, type Finding, type Scale } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import { MORE_ROOM, serviceEnvironment } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { createSigningKey, mintToken, type SigningKey } from '../lib/tokens.ts'
import { startWorker } from '../lib/worker.ts'

const SCALES = {
  full: {
    // Processes of the same code differ by some percent in how fast they run.
    launches: 3,
    many: 1_000_000,
    // All of the few ask, and as many out of the many. The service remembers the grants of 4,096: of all, and not of all.
    few: [1000, 10_000],
    lookups: 500_000,
    rounds: 5,
    http: { warmUps: 2, rounds: 4, seconds: 2 },
  },
  small: {
    launches: 1,
    many: 10_000,
    few: [1000],
    lookups: 10_000,
    rounds: 1,
    http: { warmUps: 1, rounds: 1, seconds: 1 },
  },
} as const
const CONNECTIONS = 32
const MAX_BYTES = 1500
const FLAGS = [...MORE_ROOM, '--expose-gc', '--max-old-space-size=6144']

const readySchema = z.object({ bytes: z.number(), url: z.string() })
const workSchema = z.object({ vends: z.number(), lookups: z.number() })

type Scales = (typeof SCALES)[Scale]
type Rates = Readonly<Record<'vends' | 'lookups' | 'perSecond' | 'perCpuSecond', number>>

/** Whoever holds the sessions of `user-0`, `user-1` and so on. */
async function startHolder(kind: 'cache' | 'map', sessions: number, key: SigningKey, { lookups, http }: Scales) {
  // Nobody asks STS: all is there.
  const environment = { ...serviceEnvironment({ key, stsUrl: 'http://127.0.0.1:9' }), PORT: '0' }
  const worker = await startWorker('bench/cases/memory-process.ts', { kind, sessions, lookups, environment }, FLAGS)
  const { bytes, url } = readySchema.parse(worker.ready)
  const cpu = async () => z.number().parse(await worker.work({ task: 'cpu' }))
  return {
    bytes,
    async serve(callers: number) {
      const tokens = Array.from({ length: callers }, (_, index) =>
        mintToken(key, `user-${Math.floor((index * sessions) / callers)}`),
      )
      const before = await cpu()
      const { answers, perSecond } = await load({ url, tokens, connections: CONNECTIONS, seconds: http.seconds })
      return { perSecond, perCpuSecond: answers / ((await cpu()) - before) }
    },
    vend: async (callers: number) => workSchema.parse(await worker.work({ task: 'vend', callers })),
    stop: worker.stop,
  }
}
type Holder = Awaited<ReturnType<typeof startHolder>>

/** Rounds in turns: the same number of callers asks both. */
async function measure(many: Holder, few: Holder, callers: number, { rounds, http }: Scales) {
  const serve = (holder: Holder) => () => holder.serve(callers)
  await inTurns(http.warmUps, serve(many), serve(few))
  const served = await inTurns(http.rounds, serve(many), serve(few))
  const vend = (holder: Holder) => () => holder.vend(callers)
  await inTurns(3, vend(many), vend(few))
  return { served, worked: await inTurns(rounds, vend(many), vend(few)) }
}

/** A large cache, and a small one after the other, each asked by as many callers as it has sessions. */
async function launch(key: SigningKey, scales: Scales) {
  const many = await startHolder('cache', scales.many, key, scales)
  try {
    const measured: Awaited<ReturnType<typeof measure>>[] = []
    for (const callers of scales.few) {
      const few = await startHolder('cache', callers, key, scales)
      try {
        measured.push(await measure(many, few, callers, scales))
      } finally {
        await few.stop()
      }
    }
    return { bytes: many.bytes, measured }
  } finally {
    await many.stop()
  }
}

/** Memory for a session that is held, and what looking one up costs while their number grows. */
export const memory: Benchmark = {
  name: 'memory',
  summary: 'memory for each of up to 1,000,000 cached sessions, and vends as the cache grows',
  async run(scale) {
    const scales = SCALES[scale]
    const key = createSigningKey('HS256')
    const map = await startHolder('map', scales.many, key, scales)
    await map.stop()
    const launches: Awaited<ReturnType<typeof launch>>[] = []
    while (launches.length < scales.launches) launches.push(await launch(key, scales))
    const bytes = median(launches.map((launch) => launch.bytes))
    const grown = scales.few.flatMap((callers, index) => {
      const ratesOf = (side: 'ours' | 'rival'): Rates => {
        const served = launches.flatMap(({ measured }) => measured[index]?.served[side] ?? [])
        const worked = launches.flatMap(({ measured }) => measured[index]?.worked[side] ?? [])
        return {
          vends: median(worked.map(({ vends }) => vends)),
          lookups: median(worked.map(({ lookups }) => lookups)),
          perSecond: median(served.map(({ perSecond }) => perSecond)),
          perCpuSecond: median(served.map(({ perCpuSecond }) => perCpuSecond)),
        }
      }
      const [ours, theirs] = [ratesOf('ours'), ratesOf('rival')]
      const finding = (what: string, by: keyof Rates): Finding => ({
        what: `${what}, ${figure(callers)} callers, ${figure(scales.many)} sessions`,
        ours: `${figure(ours[by])}/s`,
        rival: { name: `the same, ${figure(callers)} sessions`, value: `${figure(theirs[by])}/s` },
        ratio: ours[by] / theirs[by],
        better: 'more',
      })
      const held = (found: Finding): Finding => ({ ...found, floor: atLeast(found.ratio, 0.9) })
      return [
        held(finding('vends', 'perSecond')),
        held(finding('vends per processor second', 'perCpuSecond')),
        // So short a thing is decided by the processor's cache misses, of which a larger memory has more.
        finding('vends without HTTP', 'vends'),
        finding('bare look-ups', 'lookups'),
      ]
    })
    return [
      {
        what: `memory for each of ${figure(scales.many)} sessions`,
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
