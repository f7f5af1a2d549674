import { z } from 'zod'
import { type Server, startServer } from './server.ts'

/** Behaviour of a benchmark's STS. Over `quota` calls a second it answers 429, as a real one does. */
export type StsOptions = Readonly<{ delayMs: number; quota?: number }>

/** Its own count of calls. */
export type StsCalls = Readonly<{ granted: number; refused: number }>

const callsSchema = z.object({ granted: z.int(), refused: z.int() })

/** An STS in a process of its own that grants every request. */
export async function startSts(options: StsOptions): Promise<Server & Readonly<{ calls(): Promise<StsCalls> }>> {
  const server = await startServer({
    file: 'bench/servers/sts.ts',
    args: (port) => [JSON.stringify({ ...options, port })],
  })
  return { ...server, calls: async () => callsSchema.parse(await (await fetch(`${server.url}/calls`)).json()) }
}
