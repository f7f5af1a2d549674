import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import type { Test } from 'tap'
import { z } from 'zod'
import { createStsHandler, type StsOptions } from '../../../sandbox/sts/handler.ts'
import { createWorld, SANDBOX_KEYS, type World } from '../../../sandbox/world.ts'
import { type SigningKeys, signingDate, signJdcloud2 } from '../../../src/lib/signature-v4.ts'
import { listen } from '../../helpers/listen.ts'

/** The time at which the tests' world starts. */
export const NOW = Date.UTC(2026, 0, 2, 20, 30, 0)
export const ROLE_JRN = 'jrn:iam::111111111111:role/test-role'
export const PATH = '/v1/sessionToken%3AassumeRole'

/** Changes the request after it was signed. */
export type Tamper = (signed: Readonly<Record<string, string>>) => OutgoingHttpHeaders

/** Differences from a plain AssumeRole with a correct signature of test-iam. */
export type Call = Readonly<{
  keys?: SigningKeys
  region?: string
  service?: string
  date?: string
  nonce?: string
  method?: string
  /** On the wire; what is signed is always {@link PATH}. */
  wirePath?: string
  /** Headers that are signed in addition to host, date and nonce. */
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  info?: Readonly<Record<string, unknown>>
  tamper?: Tamper
}>

type Wire = Readonly<{ method?: string; path?: string; headers: OutgoingHttpHeaders; body: string | Buffer }>

const answerSchema = z.object({
  requestId: z.uuid(),
  result: z
    .strictObject({
      credentials: z.strictObject({
        accessKey: z.string(),
        secretKey: z.string(),
        sessionToken: z.string(),
        expiration: z.string(),
      }),
    })
    .optional(),
  error: z
    .strictObject({
      code: z.number(),
      status: z.string(),
      message: z.string(),
      details: z.array(z.strictObject({ field: z.string() })).optional(),
    })
    .optional(),
})

/** An STS on loopback, with a client that signs like the official ones. Its clock moves only when a test sets `time.now`. */
export async function startSts(
  t: Test,
  { world: change, ...options }: StsOptions & { world?: (world: World) => World } = {},
) {
  const time = { now: NOW }
  const plain = createWorld({ clock: () => time.now })
  const world = change ? change(plain) : plain
  const handler = createStsHandler(world, options)
  const { host, port } = new URL(await listen(t, handler))
  let calls = 0

  async function call(input: Call = {}) {
    const { keys = SANDBOX_KEYS.testIam, method = 'POST', info } = input
    const assumeRoleInfo = { roleJrn: ROLE_JRN, roleSessionName: 'upload@alice', ...info }
    const body = input.body ?? JSON.stringify({ assumeRoleInfo })
    const headers = signJdcloud2(
      {
        method,
        host,
        path: PATH,
        headers: input.headers ?? { 'content-type': 'application/json' },
        body,
        service: input.service ?? 'sts',
        region: input.region ?? 'jdcloud-api',
        date: input.date ?? signingDate(time.now),
        nonce: input.nonce ?? `nonce-${++calls}`,
      },
      keys,
    )
    return send({ method, path: input.wirePath ?? PATH, headers: input.tamper?.(headers) ?? headers, body })
  }

  /** Sends a request exactly as it is. */
  async function send({ method = 'POST', path = PATH, headers, body }: Wire) {
    const req = request({ host: '127.0.0.1', port, method, path, headers, setHost: false, agent: false })
    const response = once(req, 'response')
    req.end(body)
    const [res]: IncomingMessage[] = await response
    if (!res) throw new Error('no response')
    const chunks = await res.toArray()
    const text = Buffer.concat(chunks).toString()
    return { status: res.statusCode, headers: res.headers, text, ...answerSchema.parse(JSON.parse(text)) }
  }

  return { call, send, world, time, asked: handler.asked, host, port: Number(port) }
}

export type Sts = Awaited<ReturnType<typeof startSts>>

/** A request that must be refused, with its HTTP status, JD Cloud's status string and the named fields. */
export type RefusedRow = Readonly<{ name: string; input: Call; want: readonly [number, string, ...string[]] }>

/** Runs a table of refusals. Each row is a subtest with a new STS. */
export function refuses(t: Test, rows: readonly RefusedRow[], world?: (world: World) => World): void {
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const sts = await startSts(t, world && { world })
      const { status, error, result } = await sts.call(input)
      t.equal(result, undefined)
      t.equal(status, error?.code)
      t.strictSame([status, error?.status, ...(error?.details ?? []).map(({ field }) => field)], want)
    })
  }
}
