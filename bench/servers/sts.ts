import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { z } from 'zod'

/** An STS that grants every request after a delay, and counts. It checks nothing, so that its own cost stays small. */
const optionsSchema = z.object({ port: z.int(), delayMs: z.number(), quota: z.number().optional() })
const { port, delayMs, quota = Infinity } = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''))

const calls = { granted: 0, refused: 0 }
const SESSION_SECONDS = 3600
/** Session tokens of 800 characters. */
const padding = randomBytes(594).toString('base64url')
let sessions = 0

/** A token bucket: `quota` calls a second. */
let tokens = quota
let filledAt = performance.now()
function withinQuota(): boolean {
  const now = performance.now()
  tokens = Math.min(quota, tokens + ((now - filledAt) * quota) / 1000)
  filledAt = now
  if (!(tokens >= 1)) return false
  tokens -= 1
  return true
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 429 && { 'retry-after': '1' }) })
  response.end(JSON.stringify(body))
}

function grant(response: ServerResponse): void {
  const id = String(sessions++).padStart(8, '0')
  const expiration = new Date(Date.now() + SESSION_SECONDS * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const credentials = {
    accessKey: `JDC_${id.padStart(28, '0')}`,
    secretKey: id.padStart(32, 's'),
    sessionToken: `${padding}${id}`,
    expiration,
  }
  answer(response, 200, { requestId: `bench-${id}`, result: { credentials } })
}

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  if (request.url === '/calls') return answer(response, 200, calls)
  if (request.url === '/readyz') return answer(response, 200, { status: 'ready' })
  if (!withinQuota()) {
    calls.refused += 1
    return answer(response, 429, { requestId: 'bench', error: { code: 429, status: 'TOO_MANY_REQUESTS' } })
  }
  calls.granted += 1
  setTimeout(grant, delayMs, response)
}).listen(port, '127.0.0.1', 4096)
