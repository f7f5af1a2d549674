/** What a span says: words and numbers out of small sets, never a text that a client chose. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

type SpanOptions<T> = Readonly<{
  /** `client` for a call to another server. */
  kind?: 'client'
  attributes?: Attributes
  /** What the result adds. Not called for a failure. */
  describe?: (result: Awaited<T>) => Attributes
}>

/** Tells the steps of a request to whoever traces it. */
export type Tracing = Readonly<{
  /** Runs a step as a span of the request that it belongs to. A step that belongs to none is just run. */
  span<T>(name: string, run: () => T, options?: SpanOptions<T>): T
  /** Headers by which a server that is called now can continue the trace. */
  headers(): Readonly<Record<string, string>>
}>

/** Traces nothing, at no cost. */
export const untraced: Tracing = { span: (_name, run) => run(), headers: () => ({}) }

/** Most that a service that ends waits for its last spans to be taken, milliseconds. */
export const FLUSH_MS = 1000

/** The span of one request. */
export type RequestSpan = Readonly<{
  /** By which the lines of the log are found from the trace, and the trace from a line. */
  ids: Readonly<{ trace_id: string; span_id: string; trace_flags: string }>
  /** Runs what belongs to the request. */
  enter<T>(run: () => T): T
  end(answer: Readonly<{ status: number; code?: string | undefined }>): void
}>

/** Begins the span of a request; `traceparent` as the client sent it, if it did. */
export type StartRequest = (
  request: Readonly<{ method: string; route: string; traceparent: string | undefined }>,
) => RequestSpan
