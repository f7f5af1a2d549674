import { figure } from '../capacity/figure.ts'
import { atLeast, type Benchmark, type Finding, type Scale } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import { type Server, startServer } from '../lib/server.ts'
import { MORE_ROOM, serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startSts } from '../lib/sts.ts'
import { createSigningKey, mintToken, type SigningKey } from '../lib/tokens.ts'

const CALLERS = 100
const CONNECTIONS = 32
/** Processes of the same code differ by some percent in how fast they run, so that there are several. */
const SCALES = {
  full: { launches: 5, warmUps: 2, rounds: 3, seconds: 2 },
  small: { launches: 1, warmUps: 1, rounds: 1, seconds: 1 },
} as const

/** Started with the environment of the service, and with what that answers. */
type StartRival = (environment: Readonly<Record<string, string>>, body: string) => Promise<Server>

const sameFastify: StartRival = async (environment, body) => {
  const server = await startServer({
    file: 'dist/src/constant.js',
    args: (port) => [JSON.stringify({ environment: { ...environment, PORT: String(port) }, body })],
  })
  // What is compared is worth nothing unless the rival checks tokens as well.
  const { status } = await ask(server.url, 'no.good.token')
  if (status === 401) return server
  await server.stop()
  throw new Error(`the rival answered ${status} to a token that is not good`)
}

const nodesDefaults: StartRival = (environment) => startService(environment)

const ask = (url: string, token: string) =>
  fetch(`${url}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"policy":"user-upload"}',
  })

async function answerOf(url: string, token: string): Promise<string> {
  const response = await ask(url, token)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`the service answered ${response.status}: ${text}`)
  return text
}

/** Rounds of a service and of a rival that were started for them. */
async function measure(
  algorithm: SigningKey['algorithm'],
  startRival: StartRival,
  nodeOptions: readonly string[],
  { warmUps, rounds, seconds }: (typeof SCALES)[Scale],
) {
  const key = createSigningKey(algorithm)
  const tokens = Array.from({ length: CALLERS }, (_, caller) => mintToken(key, `user-${caller}`))
  const sts = await startSts({ delayMs: 1 })
  const environment = serviceEnvironment({ key, stsUrl: sts.url })
  const service = await startService(environment, nodeOptions)
  const rival = await startRival(environment, await answerOf(service.url, tokens[0] ?? ''))
  try {
    const against = (server: Server) => async () => {
      const cpu = await server.cpu()
      const { answers, perSecond } = await load({ url: server.url, tokens, connections: CONNECTIONS, seconds })
      return { perSecond, perCpuSecond: answers / ((await server.cpu()) - cpu) }
    }
    for (const { url } of [service, rival]) for (const token of tokens) await answerOf(url, token)
    const { granted } = await sts.calls()
    // So that no round is the one that compiles.
    await inTurns(warmUps, against(service), against(rival))
    const measured = await inTurns(rounds, against(service), against(rival))
    const late = (await sts.calls()).granted - granted
    if (granted < CALLERS || late > 0) throw new Error(`STS was called ${granted} + ${late} times: not a cached vend`)
    return measured
  } finally {
    await Promise.all([service, rival, sts].map((server) => server.stop()))
  }
}

type Comparison = Readonly<{
  what: string
  algorithm: SigningKey['algorithm']
  rival: string
  startRival: StartRival
  nodeOptions?: readonly string[]
}>

async function compare(
  { what, algorithm, rival, startRival, nodeOptions = [] }: Comparison,
  scale: Scale,
  least?: number,
) {
  const launches: Awaited<ReturnType<typeof measure>>[] = []
  while (launches.length < SCALES[scale].launches)
    launches.push(await measure(algorithm, startRival, nodeOptions, SCALES[scale]))
  const finding = (unit: string, by: 'perSecond' | 'perCpuSecond'): Finding => {
    const of = (side: 'ours' | 'rival') => median(launches.flatMap((launch) => launch[side].map((round) => round[by])))
    const ratio = of('ours') / of('rival')
    return {
      what: `${what}, ${unit}`,
      ours: `${figure(of('ours'))}/s`,
      rival: { name: rival, value: `${figure(of('rival'))}/s` },
      ratio,
      better: 'more',
      ...(least !== undefined && { floor: atLeast(ratio, least) }),
    }
  }
  // The second does not depend on what else the machine does.
  return [finding('throughput', 'perSecond'), finding('per processor second', 'perCpuSecond')]
}

const benchmark = (algorithm: SigningKey['algorithm']): Benchmark => ({
  name: `vend-${algorithm.toLowerCase()}`,
  summary: `cached vends against a constant answer behind the same Fastify and the same check of ${algorithm} tokens`,
  run: (scale) =>
    compare(
      {
        what: `cached vend, ${algorithm}`,
        algorithm,
        rival: 'same Fastify and token check, constant answer',
        startRival: sameFastify,
      },
      scale,
      0.9,
    ),
})

/** A vend that needs no STS call, for the two kinds of tokens that are most common. */
export const cachedVends: readonly Benchmark[] = [benchmark('ES256'), benchmark('HS256')]

/** What more room for what is new is good for. */
export const nodeOptions: Benchmark = {
  name: 'node-options',
  summary: `cached vends with ${MORE_ROOM.join(' ')} against the same without`,
  run: (scale) =>
    compare(
      {
        what: `cached vend, ${MORE_ROOM.join(' ')}`,
        algorithm: 'HS256',
        rival: "the same, Node's defaults",
        startRival: nodesDefaults,
        nodeOptions: MORE_ROOM,
      },
      scale,
    ),
}
