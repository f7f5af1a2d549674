import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Route } from '../lib/outbound.ts'
import { type StartRequest, type Tracing, untraced } from '../lib/tracing.ts'

/** Where traces are sent, and which. It contains secrets. */
export type TracingConfig = NonNullable<Config['tracing']>

/** The tracing of a service; without `startRequest` nothing is traced. */
export type Traces = Readonly<{
  tracing: Tracing
  startRequest?: StartRequest
  /** Sends what is left, for a second at most. Never fails. */
  close: () => Promise<void>
}>

export type TracesDependencies = Readonly<{
  route: Route
  logger: Pick<FastifyBaseLogger, 'info' | 'warn'>
  clock: Pick<Clock, 'after'>
  /** From 0 to 1, to choose the requests that are traced. */
  random: () => number
}>

/** OpenTelemetry is loaded only here and only if it is configured: without it, start and memory stay what they are. */
export async function startTraces(config: Config['tracing'], dependencies: TracesDependencies): Promise<Traces> {
  if (!config) return { tracing: untraced, close: async () => {} }
  const { openTelemetry } = await import('./open-telemetry.ts')
  return openTelemetry(config, dependencies)
}
