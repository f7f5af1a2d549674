import { z } from 'zod'
import { type Server, startServer } from './server.ts'

/** How the STS of a benchmark behaves. Over `quota` calls a second it answers 429, as a real one does. */
export type StsOptions = Readonly<{ delayMs: number; quota?: number }>

/** What it has been asked, by its own count. */
export type StsCalls = Readonly<{ granted: number; refused: number }>

const callsSchema = z.object({ granted: z.int(), refused: z.int() })

/** An STS in a process of its own, which grants whatever it is asked for. */
export async function startSts(options: StsOptions): Promise<Server & Readonly<{ calls(): Promise<StsCalls> }>> {
  const server = await startServer({
    file: 'bench/servers/sts.ts',
    args: (port) => [JSON.stringify({ ...options, port })],
  })
  return { ...server, calls: async () => callsSchema.parse(await (await fetch(`${server.url}/calls`)).json()) }
}
