import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { VendError } from '../errors.ts'
import { packageVersion } from '../lib/package-version.ts'
import type { RequestSpan, StartRequest, Tracing } from '../lib/tracing.ts'
import { createExporter } from './otlp-exporter.ts'
import { createSampler } from './sampler.ts'
import type { Traces, TracesDependencies, TracingConfig } from './tracing.ts'

/** Spans that are kept, some MB of them; more are dropped. A message is small enough to be written in a few milliseconds. */
const QUEUE = { maxQueueSize: 2048, maxExportBatchSize: 256, scheduledDelayMillis: 5000 }

/**
 * Traces by OpenTelemetry. It registers nothing globally: two services in one process, as in tests, must not see each
 * other's requests. Spans have no event with an error's message: those quote requests.
 */
export function openTelemetry(config: TracingConfig, { random, ...dependencies }: TracesDependencies): Traces {
  const exporter = createExporter(config, dependencies)
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': config.serviceName, 'service.version': packageVersion() }),
    sampler: createSampler(config.sampling, random),
    spanProcessors: [new BatchSpanProcessor({ ...QUEUE, exporter, exportTimeoutMillis: 10_000 })],
  })
  const tracer = provider.getTracer('oss-vend', packageVersion())
  const current = new AsyncLocalStorage<Context>()

  const tracing: Tracing = {
    span(name, run, { kind, attributes = {}, describe } = {}) {
      const parent = current.getStore()
      if (!parent) return run()
      const span = tracer.startSpan(
        name,
        { kind: kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL, attributes },
        parent,
      )
      const succeed = (result: Parameters<NonNullable<typeof describe>>[0]) => {
        if (describe) span.setAttributes(describe(result))
        span.end()
      }
      return current.run(trace.setSpan(parent, span), () => watch(run, succeed, (error) => fail(span, error)))
    },
    headers() {
      const context = current.getStore()
      const span = context && trace.getSpanContext(context)
      return span ? { traceparent: `00-${span.traceId}-${span.spanId}-0${span.traceFlags & 1}` } : {}
    },
  }

  const startRequest: StartRequest = ({ method, route, traceparent }): RequestSpan => {
    const attributes = { 'http.request.method': method, 'http.route': route }
    const name = `${method} ${route}`
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, remoteContext(traceparent))
    const { traceId, spanId, traceFlags } = span.spanContext()
    const context = trace.setSpan(ROOT_CONTEXT, span)
    return {
      ids: { trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags & 1}` },
      enter: (run) => current.run(context, run),
      end({ status, code }) {
        span.setAttribute('http.response.status_code', status)
        if (code !== undefined) span.setAttribute('error.type', code)
        // A client's own mistake is no error of the server.
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      },
    }
  }

  return {
    tracing,
    startRequest,
    close: () => exporter.close(() => provider.shutdown()),
  }
}

/** Version, trace id, span id and flags; no id is zero. Any other text is ignored, as the standard says. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/u

function remoteContext(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT
  const traceFlags = Number.parseInt(flags, 16) & 1
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

/** Runs a step, and tells how it ended: at once, or when its promise is settled. */
function watch<T>(run: () => T, succeed: (result: Awaited<T>) => void, failed: (error: unknown) => void): T {
  try {
    const result = run()
    if (result instanceof Promise) result.then(succeed, failed)
    else if (isSettled(result)) succeed(result)
    return result
  } catch (error) {
    failed(error)
    throw error
  }
}

const isSettled = <T>(value: T): value is T & Awaited<T> => !(value instanceof Promise)

function fail(span: Span, error: unknown): void {
  const type = error instanceof VendError ? error.code : error instanceof Error ? error.name : 'unknown'
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
