import type { IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import { z } from 'zod'
import { listen } from './listen.ts'

const valueSchema = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ intValue: z.number() }).transform(({ intValue }) => intValue),
  z.object({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
])
const attributesSchema = z
  .array(z.object({ key: z.string(), value: valueSchema }))
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, value])))
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: attributesSchema,
  status: z.object({ code: z.number() }),
})
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
})

/** A collector on loopback that reads OTLP as JSON. `answer` may be changed while it runs; undefined never answers. */
export async function collector(t: Test) {
  const state: { answer: number | undefined; location?: string } = { answer: 200 }
  const received: { path: string; headers: IncomingHttpHeaders; body: string }[] = []
  const url = await listen(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    received.push({ path: request.url ?? '', headers: request.headers, body })
    const { answer, location } = state
    if (answer !== undefined) response.writeHead(answer, location === undefined ? {} : { location }).end('{}')
  })
  const requests = () => received.map(({ body }) => requestSchema.parse(JSON.parse(body)))
  const spans = () =>
    requests().flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)),
    )
  return {
    url,
    state,
    received,
    requests,
    spans,
    text: () => received.map(({ body }) => body).join('\n'),
    /** The only span of this name. */
    span(name: string) {
      const [found, ...more] = spans().filter((one) => one.name === name)
      if (!found || more.length > 0) throw new Error(`not one span is named ${name}`)
      return found
    },
  }
}
