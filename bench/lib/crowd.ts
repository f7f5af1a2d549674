import { z } from 'zod'
import { runScript } from './script.ts'

/** Callers who arrive all at once, each on a connection of its own, over the services in turns. */
export type CrowdOptions = Readonly<{
  urls: readonly string[]
  /** One for each caller. */
  tokens: readonly string[]
  /** Whether who is refused comes again, after `Retry-After` or a second. */
  again: boolean
}>

/** What became of them. */
export type Crowd = Readonly<{
  /** Callers who got credentials, and the milliseconds until the last of them had. */
  served: number
  milliseconds: number
  /** Answers by status, and `0` for connections that broke. */
  answers: Readonly<Record<string, number>>
}>

const measured = z.object({ served: z.int(), milliseconds: z.number(), answers: z.record(z.string(), z.int()) })

/** Lets the crowd come. */
export const crowd = async (options: CrowdOptions): Promise<Crowd> =>
  measured.parse(await runScript('bench/lib/crowd-process.ts', options))
