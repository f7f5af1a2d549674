import autocannon from 'autocannon'
import { z } from 'zod'
import { readInput } from './script.ts'

const inputSchema = z.object({
  url: z.string(),
  tokens: z.array(z.string()),
  connections: z.int(),
  seconds: z.number(),
})

const { url, tokens, connections, seconds } = inputSchema.parse(await readInput())
const milliseconds: number[] = []
let failures = 0
const started = performance.now()
const run = autocannon(
  {
    url,
    connections,
    duration: seconds,
    requests: tokens.map((token) => ({
      method: 'POST',
      path: '/v1/credentials',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"policy":"user-upload"}',
    })),
  },
  // Without a callback it returns a promise, and says nothing of single answers.
  () => {
    const took = (performance.now() - started) / 1000
    process.stdout.write(JSON.stringify({ seconds: took, milliseconds, failures }))
  },
)
// autocannon's own percentiles are whole milliseconds.
run.on('response', (_client, status, _bytes, took) => {
  if (status === 200) milliseconds.push(took)
  else failures += 1
})
run.on('reqError', () => {
  failures += 1
})
