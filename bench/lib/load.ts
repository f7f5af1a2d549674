import { z } from 'zod'
import { runScript } from './script.ts'
import { percentile } from './statistics.ts'

/** Requests for `user-upload` in a closed loop: each connection sends the next when the last was answered. */
export type LoadOptions = Readonly<{
  url: string
  /** Of the callers, who ask in turns. */
  tokens: readonly string[]
  connections: number
  seconds: number
}>

/** Answers, how many of them a second, and the milliseconds that 99 in 100 took at most. */
export type Load = Readonly<{ answers: number; perSecond: number; p99: number }>

const measured = z.object({ seconds: z.number(), milliseconds: z.array(z.number()), failures: z.int() })

/** @throws when a single answer is not a 200: a refusal is quick, and would be taken for speed */
export async function load(options: LoadOptions): Promise<Load> {
  const { seconds, milliseconds, failures } = measured.parse(await runScript('bench/lib/load-process.ts', options))
  if (failures > 0) throw new Error(`${failures} requests to ${options.url} failed`)
  return { answers: milliseconds.length, perSecond: milliseconds.length / seconds, p99: percentile(milliseconds, 0.99) }
}
