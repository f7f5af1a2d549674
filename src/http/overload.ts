import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { VendError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { App } from './fastify.ts'
import type { HttpMetrics } from './http-metrics.ts'

/** How the process is doing. */
export type Pressure = Readonly<{
  /** By how much the event loop was late, on average since the last measurement. */
  eventLoopDelayMs: number
  /** Of what Node may use before it gives up. */
  heapPercent: number
  rssMb: number
}>

/** Each reading tells of the time since the one before. */
export type Measure = Readonly<{ read: () => Pressure; close: () => void }>

/** Whether there is more to do than can be done. */
export type Overload = Readonly<{
  /** From the first measurement over a limit until all have been well below theirs for a while. */
  shedding: () => boolean
  /** While shedding, the error to refuse a request with: `overloaded`. */
  refusal: () => VendError | undefined
  start: () => void
  close: () => void
}>

const SAMPLE_MS = 500
/** An overload ends only below this share of the limit. Otherwise a load at the limit would switch it on and off. */
const CALM_SHARE = 0.8
/** So many calm measurements in a row, three seconds, end it. */
const CALM_SAMPLES = 6
/** Not before it can have ended. */
const RETRY_AFTER_SECONDS = (SAMPLE_MS * CALM_SAMPLES) / 1000

type Dependencies = Readonly<{
  logger: FastifyBaseLogger
  metrics: Pick<HttpMetrics, 'overloaded' | 'requestShed'>
  clock: Pick<Clock, 'every'>
  measure?: Measure | undefined
}>

/**
 * Measures twice a second. @fastify/under-pressure measures the same, but has one threshold, at which it goes on and
 * off with every sample, and hooks itself into probes too.
 */
export function createOverload(limits: Config['overload'], dependencies: Dependencies): Overload {
  const { logger, metrics, measure = createMeasure(), clock } = dependencies
  let shedding = false
  let calm = 0
  let stop: (() => void) | undefined

  const over = (pressure: Pressure, share: number) =>
    REASONS.find((reason) => limits[reason] > 0 && pressure[reason] > limits[reason] * share)

  function sample() {
    const pressure = measure.read()
    const reason = over(pressure, 1)
    if (!shedding && reason) {
      shedding = true
      metrics.overloaded(reason)
      logger.warn({ reason, ...pressure }, 'overloaded: requests are shed')
    }
    if (!shedding) return
    calm = over(pressure, CALM_SHARE) ? 0 : calm + 1
    if (calm < CALM_SAMPLES) return
    shedding = false
    calm = 0
    logger.info(pressure, 'no longer overloaded')
  }

  return {
    shedding: () => shedding,
    refusal() {
      if (!shedding) return undefined
      metrics.requestShed()
      return new VendError('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS })
    },
    start() {
      if (!REASONS.some((reason) => limits[reason] > 0)) return
      // The start itself says nothing about the load.
      measure.read()
      stop ??= clock.every(SAMPLE_MS, sample)
    },
    close() {
      stop?.()
      measure.close()
    },
  }
}

/** Refuses requests while there is more to do than can be done. */
export function shedLoad(app: App, overload: Pick<Overload, 'refusal'>): void {
  app.addHook('onRequest', ({ routeOptions }, _reply, done) => {
    // Probes are exempt: they tell how the service is, and now that matters most.
    done(routeOptions.config.rateLimit === false ? undefined : overload.refusal())
  })
}

const REASONS = ['eventLoopDelayMs', 'heapPercent', 'rssMb'] as const

const RESOLUTION_MS = 10
const MB = 1024 * 1024

/** Measures this process. */
export function createMeasure(): Measure {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let since = performance.now()
  return {
    read() {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
      // Without one tick in all the time, the loop stood still.
      const mean = delay.count === 0 ? performance.now() - since : delay.mean / 1e6
      delay.reset()
      since = performance.now()
      return {
        eventLoopDelayMs: Math.round(Math.max(0, mean - RESOLUTION_MS)),
        heapPercent: Math.round((used / limit) * 100),
        rssMb: Math.round(process.memoryUsage.rss() / MB),
      }
    },
    close: () => {
      delay.disable()
    },
  }
}
