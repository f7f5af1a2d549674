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
const requests = tokens.map((token) => ({
  method: 'POST' as const,
  path: '/v1/credentials',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: '{"policy":"user-upload"}',
}))
let clients = 0
const run = autocannon(
  {
    url,
    connections,
    duration: seconds,
    // Each connection has callers of its own, because autocannon keeps the whole text of each request of a connection.
    setupClient(client) {
      const first = clients++ % connections
      const own = requests.filter((_, index) => index % connections === first)
      client.setRequests(own.length > 0 ? own : requests)
    },
  },
  // Without a callback, autocannon returns a promise and reports no single answers.
  () => {
    const took = (performance.now() - started) / 1000
    process.stdout.write(JSON.stringify({ seconds: took, milliseconds, failures }))
  },
)
// autocannon rounds its own percentiles to whole milliseconds.
run.on('response', (_client, status, _bytes, took) => {
  if (status === 200) milliseconds.push(took)
  else failures += 1
})
run.on('reqError', () => {
  failures += 1
})
