import { figure } from '../capacity/figure.ts'
import { atLeast, type Benchmark, type Finding, type Scale } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import { type Server, startServer } from '../lib/server.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startSts } from '../lib/sts.ts'
import { createSigningKey, mintToken, type SigningKey } from '../lib/tokens.ts'

const CALLERS = 100
const CONNECTIONS = 32
/** Processes of the same code differ by some percent in how fast they run, so that there are several. */
const SCALES = {
  full: { launches: 3, warmUps: 3, rounds: 6, seconds: 2 },
  small: { launches: 1, warmUps: 1, rounds: 1, seconds: 1 },
} as const

/** The same request, so that the constant body can be the very one that the service answers with. */
async function answerOf(url: string, token: string): Promise<string> {
  const response = await fetch(`${url}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"policy":"user-upload"}',
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`the service answered ${response.status}: ${text}`)
  return text
}

/** Rounds of a service and of a rival that were started for them. */
async function measure(algorithm: SigningKey['algorithm'], { warmUps, rounds, seconds }: (typeof SCALES)[Scale]) {
  const key = createSigningKey(algorithm)
  const tokens = Array.from({ length: CALLERS }, (_, caller) => mintToken(key, `user-${caller}`))
  const sts = await startSts({ delayMs: 1 })
  const environment = serviceEnvironment({ key, stsUrl: sts.url })
  const service = await startService(environment)
  const body = await answerOf(service.url, tokens[0] ?? '')
  const constant = await startServer({
    file: 'dist/bench/constant.js',
    args: (port) => [JSON.stringify({ environment: { ...environment, PORT: String(port) }, body })],
  })
  try {
    const against = (server: Server) => async () => {
      const cpu = await server.cpu()
      const { answers, perSecond } = await load({ url: server.url, tokens, connections: CONNECTIONS, seconds })
      return { perSecond, perCpuSecond: answers / ((await server.cpu()) - cpu) }
    }
    for (const token of tokens) await answerOf(service.url, token)
    // So that no round is the one that compiles.
    await inTurns(warmUps, against(service), against(constant))
    const measured = await inTurns(rounds, against(service), against(constant))
    const { granted } = await sts.calls()
    if (granted !== CALLERS)
      throw new Error(`STS was asked ${granted} times for ${CALLERS} sessions: not a cached vend`)
    return measured
  } finally {
    await Promise.all([service, constant, sts].map((server) => server.stop()))
  }
}

const benchmark = (algorithm: SigningKey['algorithm']): Benchmark => ({
  name: `vend-${algorithm.toLowerCase()}`,
  summary: `cached vends against a constant answer behind the same Fastify and the same check of ${algorithm} tokens`,
  async run(scale) {
    const launches: Awaited<ReturnType<typeof measure>>[] = []
    while (launches.length < SCALES[scale].launches) launches.push(await measure(algorithm, SCALES[scale]))
    const compare = (what: string, by: 'perSecond' | 'perCpuSecond'): Finding => {
      const of = (side: 'ours' | 'rival') =>
        median(launches.flatMap((launch) => launch[side].map((round) => round[by])))
      const [ours, rival] = [of('ours'), of('rival')]
      return {
        what: `cached vend, ${algorithm}, ${what}`,
        ours: `${figure(ours)}/s`,
        rival: { name: 'same Fastify and token check, constant answer', value: `${figure(rival)}/s` },
        ratio: ours / rival,
        better: 'more',
        floor: atLeast(ours / rival, 0.9),
      }
    }
    // The second does not depend on what else the machine does.
    return [compare('throughput', 'perSecond'), compare('per processor second', 'perCpuSecond')]
  },
})

/** A vend that needs no STS call, for the two kinds of tokens that are most common. */
export const cachedVends: readonly Benchmark[] = [benchmark('ES256'), benchmark('HS256')]
