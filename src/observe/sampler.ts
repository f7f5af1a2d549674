import { type Context, trace } from '@opentelemetry/api'
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace'
import type { TracingConfig } from './tracing.ts'

/**
 * Chooses the requests that are traced. Only the samplers that are named `parentbased_…` believe the flag in a client's
 * `traceparent`. The others draw lots, and not by the trace id as the SDK's own sampler does: the client chose that, too,
 * and could choose one that is always traced.
 */
export function createSampler({ sampler, ratio }: TracingConfig['sampling'], random: () => number): Sampler {
  const believes = sampler.startsWith('parentbased_')
  const part = sampler.endsWith('always_on') ? 1 : sampler.endsWith('always_off') ? 0 : ratio
  const decide = (context: Context): boolean => {
    const parent = trace.getSpanContext(context)
    // A step is traced with its request.
    if (parent && (believes || !parent.isRemote)) return (parent.traceFlags & 1) === 1
    return random() < part
  }
  return {
    shouldSample: (context): SamplingResult => ({
      decision: decide(context) ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
    }),
    toString: () => sampler,
  }
}
