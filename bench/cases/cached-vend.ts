import { figure } from '../capacity/figure.ts'
import { atLeast, type Benchmark, type Finding, type Scale } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import { type Server, startServer } from '../lib/server.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startSts } from '../lib/sts.ts'
import { AUDIENCE, createSigningKey, ISSUER, mintToken, type SigningKey } from '../lib/tokens.ts'
import { answerOf, ask } from '../lib/vend.ts'

const CALLERS = 100
const CONNECTIONS = 32
/** Two starts of the same code differ by some percent, so each side is started several times. */
const SCALES = {
  full: { launches: 3, warmUps: 2, rounds: 3, seconds: 2 },
  small: { launches: 1, warmUps: 1, rounds: 1, seconds: 1 },
} as const
/** Number of verified tokens that both sides remember. */
const CACHE_ENTRIES = 10_000
/** More than twice the number of remembered tokens, in turns: the cache has dropped each token before it returns. */
const NEW_TOKENS = 24_000

type Case = Readonly<{
  name: string
  what: string
  algorithm: SigningKey['algorithm']
  cacheEntries: number
  /** Number of tokens, spread over 100 callers. */
  tokens: number
  least?: number
}>

/** The rival answers with the same bytes as the service. */
async function startMinimum(key: SigningKey, answer: string, cacheEntries: number): Promise<Server> {
  const { algorithm, verificationKey } = key
  const options = { key: verificationKey, algorithm, issuer: ISSUER, audience: AUDIENCE, answer, cacheEntries }
  const server = await startServer({
    file: 'bench/servers/minimum.js',
    args: (port) => [JSON.stringify({ ...options, port })],
  })
  // The comparison is worthless unless the rival checks tokens too.
  const { status } = await ask(server.url, 'no.good.token')
  if (status === 401) return server
  await server.stop()
  throw new Error(`the rival answered ${status} to a token that does not verify`)
}

async function measure(one: Case, { warmUps, rounds, seconds }: (typeof SCALES)[Scale]) {
  const key = createSigningKey(one.algorithm)
  const tokens = Array.from({ length: one.tokens }, (_, index) => mintToken(key, `user-${index % CALLERS}`, index))
  const sts = await startSts({ delayMs: 1 })
  const environment = serviceEnvironment({ key, stsUrl: sts.url }, { JWT_CACHE_ENTRIES: String(one.cacheEntries) })
  const service = await startService(environment)
  const rival = await startMinimum(key, await answerOf(service.url, tokens[0] ?? ''), one.cacheEntries)
  try {
    const against = (server: Server) => async () => {
      const cpu = await server.cpu()
      const { answers, perSecond } = await load({ url: server.url, tokens, connections: CONNECTIONS, seconds })
      return { perSecond, perCpuSecond: answers / ((await server.cpu()) - cpu) }
    }
    for (const token of tokens.slice(0, CALLERS)) await answerOf(service.url, token)
    const { granted } = await sts.calls()
    // Warm-up rounds do not count: they compile the code.
    await inTurns(warmUps, against(service), against(rival))
    const measured = await inTurns(rounds, against(service), against(rival))
    const late = (await sts.calls()).granted - granted
    if (granted < CALLERS || late > 0) throw new Error(`STS was called ${granted} + ${late} times: not a cached vend`)
    return measured
  } finally {
    await Promise.all([service, rival, sts].map((server) => server.stop()))
  }
}

async function compare(one: Case, scale: Scale): Promise<Finding[]> {
  const launches: Awaited<ReturnType<typeof measure>>[] = []
  while (launches.length < SCALES[scale].launches) launches.push(await measure(one, SCALES[scale]))
  const finding = (unit: string, by: 'perSecond' | 'perCpuSecond'): Finding => {
    const of = (side: 'ours' | 'rival') => median(launches.flatMap((launch) => launch[side].map((round) => round[by])))
    const ratio = of('ours') / of('rival')
    return {
      what: `${one.what}, ${unit}`,
      ours: `${figure(of('ours'))}/s`,
      rival: { name: 'minimum', value: `${figure(of('rival'))}/s` },
      ratio,
      better: 'more',
      ...(one.least !== undefined && { floor: atLeast(ratio, one.least) }),
    }
  }
  return [finding('throughput', 'perSecond'), finding('per processor second', 'perCpuSecond')]
}

const CASES: readonly Case[] = [
  {
    name: 'vend-hs256',
    what: 'HS256, no token cache',
    algorithm: 'HS256',
    cacheEntries: 0,
    tokens: CALLERS,
    least: 0.75,
  },
  {
    name: 'vend-hs256-cache',
    what: 'HS256, returning tokens',
    algorithm: 'HS256',
    cacheEntries: CACHE_ENTRIES,
    tokens: CALLERS,
  },
  {
    name: 'vend-es256-new',
    what: 'ES256, new tokens',
    algorithm: 'ES256',
    cacheEntries: CACHE_ENTRIES,
    tokens: NEW_TOKENS,
    least: 0.9,
  },
  {
    name: 'vend-es256',
    what: 'ES256, returning tokens',
    algorithm: 'ES256',
    cacheEntries: CACHE_ENTRIES,
    tokens: CALLERS,
    least: 0.6,
  },
]

/** Vends that need no STS call, compared with an independent minimum that checks the same tokens. */
export const cachedVends: readonly Benchmark[] = CASES.map((one) => ({
  name: one.name,
  summary: `cached vends: ${one.what}, compared with the minimum that checks the token and answers the same bytes`,
  run: (scale) => compare(one, scale),
}))
