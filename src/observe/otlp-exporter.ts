import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { call, createPool, OutboundError } from '../lib/outbound.ts'
import { FLUSH_MS } from '../lib/tracing.ts'
import type { TracesDependencies, TracingConfig } from './tracing.ts'

const EXPORT_MS = 5000
/** An answer says little, and nobody reads it. */
const MAX_RESPONSE_BYTES = 64 * 1024

/**
 * Sends spans to a collector: OTLP over HTTP, as JSON. It uses our own outbound connections, which know the proxy and the
 * authorities, limit answers, and follow no redirect; the SDK's exporter does not. Spans that the collector does not take
 * are lost: a vend matters more than its trace. The log says when that begins and ends.
 *
 * `close` gives the spans that `flush` brings, and those on their way, a second.
 */
export function createExporter(
  { endpoint, headers }: Pick<TracingConfig, 'endpoint' | 'headers'>,
  { route, logger, clock }: Omit<TracesDependencies, 'random'>,
): SpanExporter & Readonly<{ close: (flush: () => Promise<void>) => Promise<void> }> {
  const pool = createPool({
    ...{ route, connections: 2, connectTimeoutMs: EXPORT_MS, maxResponseBytes: MAX_RESPONSE_BYTES, keepAlive: true },
  })
  const ending = new AbortController()
  const running = new Set<Promise<void>>()
  let failing = false

  async function send(spans: readonly ReadableSpan[]): Promise<void> {
    const body = new TextDecoder().decode(JsonTraceSerializer.serializeRequest([...spans]))
    const { status } = await call(pool, {
      ...{ method: 'POST', url: endpoint, body, timeoutMs: EXPORT_MS, signal: ending.signal },
      headers: { 'content-type': 'application/json', ...headers },
    })
    if (status < 200 || status > 299) throw new RefusedError(status)
  }

  function tell(error?: unknown): void {
    if (error !== undefined && !failing) logger.warn(reasonOf(error), 'traces cannot be sent: they are lost')
    if (error === undefined && failing) logger.info('traces are sent again')
    failing = error !== undefined
  }

  return {
    export(spans, done) {
      const sent = send(spans).then(
        () => {
          tell()
          done({ code: SUCCESS })
        },
        (error: unknown) => {
          tell(error)
          done({ code: FAILED })
        },
      )
      running.add(sent)
      void sent.finally(() => running.delete(sent))
    },
    shutdown: async () => {},
    async close(flush) {
      const cancel = clock.after(FLUSH_MS, () => ending.abort())
      await flush().catch(() => {})
      await Promise.all(running)
      cancel()
      await pool.close()
    },
  }
}

/** The values of `ExportResultCode` in @opentelemetry/core. */
const [SUCCESS, FAILED] = [0, 1]

class RefusedError extends Error {
  readonly status: number

  constructor(status: number) {
    super('the collector refuses')
    this.status = status
  }
}

function reasonOf(error: unknown) {
  if (error instanceof RefusedError) return { reason: 'refused', status: error.status }
  return { reason: error instanceof OutboundError ? error.failure : 'unexpected' }
}
