import { z } from 'zod'
import { runScript } from './script.ts'
import { percentile } from './statistics.ts'

/** Requests for `user-upload` in a closed loop: each connection sends the next request after the last answer. */
export type LoadOptions = Readonly<{
  url: string
  /** One token for each caller; callers take turns. */
  tokens: readonly string[]
  connections: number
  seconds: number
}>

/** Number of answers, answers a second, and the 99th percentile of their duration in milliseconds. */
export type Load = Readonly<{ answers: number; perSecond: number; p99: number }>

const measured = z.object({ seconds: z.number(), milliseconds: z.array(z.number()), failures: z.int() })

/** @throws when an answer is not a 200: a refusal is fast and would look like speed */
export async function load(options: LoadOptions): Promise<Load> {
  const { seconds, milliseconds, failures } = measured.parse(await runScript('bench/lib/load-process.ts', options))
  if (failures > 0) throw new Error(`${failures} requests to ${options.url} failed`)
  return { answers: milliseconds.length, perSecond: milliseconds.length / seconds, p99: percentile(milliseconds, 0.99) }
}
