import { z } from 'zod'
import { type Group, list, text } from '../setting.ts'

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

/** `name=value` pairs, percent-encoded as the standard has it. */
const headers = list.transform((items, context) => {
  const pairs = items.map((item) => /^([!#$%&'*+.^_`|~\w-]+)=([\x20-\x7e]*)$/u.exec(item))
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        const value = decodeURIComponent(pair?.[2]?.trim() ?? '')
        // A line break would be another header.
        if (!pair?.[1] || !/^[\x20-\x7e]+$/u.test(value)) throw new TypeError()
        return [pair[1].toLowerCase(), value]
      }),
    )
  } catch {
    context.addIssue({ code: 'custom', message: 'are not headers' })
    return z.NEVER
  }
})

/** Traces for OpenTelemetry. The names are those of its standard. */
export const tracing = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    help: 'Address of an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318. Traces are sent to /v1/traces below it, as JSON.',
    schema: text,
    unset: 'no traces',
    rule: 'must be the address of a collector',
    remedy: 'write scheme, host and port; the port of OTLP over HTTP is 4318',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    help: 'Headers for the collector, such as its token: name=value, separated by commas, percent-encoded.',
    secret: true,
    schema: headers,
    unset: 'none',
    rule: 'must be headers as name=value, separated by commas',
    remedy: 'percent-encode spaces, commas and special characters of a value',
  },
  OTEL_SERVICE_NAME: {
    help: 'Name of this service in the traces.',
    schema: z.string().regex(/^[\w.-]{1,64}$/u),
    default: 'oss-vend',
    rule: 'must be a name of letters, digits and _.-',
    remedy: 'leave it out for oss-vend',
  },
  OTEL_TRACES_SAMPLER: {
    help: "Which requests are traced. traceidratio: the part in OTEL_TRACES_SAMPLER_ARG, chosen here. With parentbased_, a request that brings a traceparent is traced if its flag says so: use it only behind a gateway that does not pass on a client's own.",
    range: `One of ${SAMPLERS.join(', ')}`,
    schema: z.enum(SAMPLERS),
    default: 'traceidratio',
    rule: `must be one of ${SAMPLERS.join(', ')}`,
    remedy: 'leave it out for traceidratio',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    help: 'Part of the requests that is traced: 1 is all, 0.01 one of a hundred.',
    range: 'From 0 to 1',
    schema: z
      .string()
      .regex(/^(?:0|1|0?\.\d{1,6}|1\.0{1,6})$/u)
      .transform(Number),
    default: '1',
    rule: 'must be a number from 0 to 1',
    remedy: 'write a part such as 0.1',
  },
} satisfies Group
