import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { readInput } from './script.ts'

/** Longest wait of a caller. */
const PATIENCE_MS = 300_000

const inputSchema = z.object({ urls: z.array(z.string()), tokens: z.array(z.string()), again: z.boolean() })
const { urls, tokens, again } = inputSchema.parse(await readInput())
const answers: Record<string, number> = {}
const started = performance.now()
let served = 0
let milliseconds = 0

type Answer = Readonly<{ status: number; retryAfter: string | undefined }>

function ask(url: string, token: string): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = request(`${url}/v1/credentials`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    const broken = () => resolve({ status: 0, retryAfter: undefined })
    sent.on('error', broken)
    sent.on('response', (response) => {
      const { statusCode = 0, headers } = response
      response.on('error', broken)
      response.resume().on('end', () => resolve({ status: statusCode, retryAfter: headers['retry-after'] }))
    })
    sent.end('{"policy":"user-upload"}')
  })
}

async function come(url: string, token: string): Promise<void> {
  do {
    const { status, retryAfter } = await ask(url, token)
    answers[status] = (answers[status] ?? 0) + 1
    if (status === 200) {
      served += 1
      milliseconds = performance.now() - started
      return
    }
    // Spreads the callers a little, because real clients do not send in the same instant.
    if (again) await sleep(1000 * (Number(retryAfter ?? 1) + 0.5 * Math.random()))
  } while (again && performance.now() - started < PATIENCE_MS)
}

await Promise.all(tokens.map((token, at) => come(urls[at % urls.length] ?? '', token)))
process.stdout.write(JSON.stringify({ served, milliseconds, answers }))
