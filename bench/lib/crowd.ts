import { z } from 'zod'
import { runScript } from './script.ts'

/** Callers that arrive together, each on its own connection, spread over the services. */
export type CrowdOptions = Readonly<{
  urls: readonly string[]
  /** One token for each caller. */
  tokens: readonly string[]
  /** Whether a refused caller retries after `Retry-After`, or after one second. */
  again: boolean
}>

/** Result of a crowd. */
export type Crowd = Readonly<{
  /** Number of callers with credentials, and milliseconds until the last of them had some. */
  served: number
  milliseconds: number
  /** Answers by status; `0` counts broken connections. */
  answers: Readonly<Record<string, number>>
}>

const measured = z.object({ served: z.int(), milliseconds: z.number(), answers: z.record(z.string(), z.int()) })

/** Sends the crowd and waits for its end. */
export const crowd = async (options: CrowdOptions): Promise<Crowd> =>
  measured.parse(await runScript('bench/lib/crowd-process.ts', options))
