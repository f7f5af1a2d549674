import { setTimeout as sleep } from 'node:timers/promises'
import { figure } from '../capacity/figure.ts'
import { atMost, type Benchmark } from '../lib/finding.ts'
import { type Server, startServer } from '../lib/server.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { createSigningKey } from '../lib/tokens.ts'

const ROUNDS = { full: 15, small: 1 } as const
const BARE = 'bare Fastify'
/** Time after which an idle process has settled. */
const IDLE_MS = 1000

async function startAndStop(start: () => Promise<Server>) {
  const server = await start()
  await sleep(IDLE_MS)
  const rss = await server.rss()
  await server.stop()
  return { readyMs: server.readyMs, rss }
}

/** How long a new replica takes to become useful. */
export const start: Benchmark = {
  name: 'start',
  summary: 'time from the start of the process until it is ready, and its memory then, compared with a bare Fastify',
  async run(scale) {
    const environment = serviceEnvironment({ key: createSigningKey('ES256'), stsUrl: 'http://127.0.0.1:9' })
    const service = () => startAndStop(() => startService(environment))
    const bare = () =>
      startAndStop(() => startServer({ file: 'bench/servers/bare.js', args: (port) => [String(port)] }))
    // After this, the system's cache holds the files of both.
    await inTurns(1, service, bare)
    const { ours, rival } = await inTurns(ROUNDS[scale], service, bare)
    const ready = [ours, rival].map((starts) => median(starts.map(({ readyMs }) => readyMs)))
    const memory = [ours, rival].map((starts) => median(starts.map(({ rss }) => rss)))
    const [ourReady = Number.NaN, theirReady = Number.NaN] = ready
    const [ourMemory = Number.NaN, theirMemory = Number.NaN] = memory
    return [
      {
        what: 'start to ready',
        ours: `${figure(ourReady)} ms`,
        rival: { name: BARE, value: `${figure(theirReady)} ms` },
        ratio: ourReady / theirReady,
        better: 'less',
        floor: atMost(ourReady / theirReady, 2),
      },
      {
        what: 'idle memory (resident)',
        ours: `${figure(ourMemory / 1e6)} MB`,
        rival: { name: BARE, value: `${figure(theirMemory / 1e6)} MB` },
        ratio: ourMemory / theirMemory,
        better: 'less',
      },
    ]
  },
}
