import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { OutboundResponse, Pool } from '../lib/outbound.ts'
import { signingDate, signJdcloud2 } from '../lib/signature-v4.ts'
import type { KeyedSource } from './credentials.ts'
import { createExpirationReader, type TimeZone, type ZoneReport } from './expiration.ts'
import { createKeyedSource } from './keyed.ts'
import { describeRefusal } from './refusal.ts'
import { askUpstream, createStsPool, refused, type StsOptions, unusable } from './upstream.ts'

/** STS is global, and the server reads the region from the signature's scope: this is what the Java and Go SDKs send. */
const REGION = 'jdcloud-api'
/** Every official SDK sends, and signs, the colon percent-encoded. */
const PATH = '/v1/sessionToken%3AassumeRole'

/** How to ask JD Cloud STS. */
export type JdcloudOptions = StsOptions &
  Readonly<{
    /** The Host header that STS sees, if a proxy in front of STS changes it. */
    signHost?: string | undefined
    /** Of the expirations that STS writes; `auto` learns it from them. */
    timeZone?: TimeZone | 'auto'
  }>

type Dependencies = Readonly<{ pool?: Pool; now?: () => number; nonce?: () => string; onZone?: ZoneReport }>

const key = z.string().regex(/^[\x21-\x7e]{1,8192}$/u)
const successSchema = z.looseObject({
  result: z.looseObject({
    credentials: z.looseObject({ accessKey: key, secretKey: key, sessionToken: key, expiration: z.string() }),
  }),
})

/** JD Cloud STS, with the time zone of its expirations, once it is known. */
export type JdcloudSts = KeyedSource & Readonly<{ zone: () => TimeZone | undefined }>

/** The credential source that asks JD Cloud STS. */
export function createJdcloudSts(options: JdcloudOptions, dependencies: Dependencies = {}): JdcloudSts {
  const { pool = createStsPool(options), now = Date.now, nonce = randomUUID, onZone } = dependencies
  const url = new URL(PATH, options.endpoint)
  const expirations = createExpirationReader(options.timeZone, onZone)
  const kind = {
    method: 'POST',
    host: options.signHost ?? url.host,
    path: url.pathname,
    headers: { 'content-type': 'application/json' },
    service: 'sts',
    region: REGION,
  }

  const source = createKeyedSource(options, {
    async ask({ roleSessionName, policy, durationSeconds: wanted }, { by, secrets, signal }) {
      const durationSeconds = expirations.askable(wanted)
      const body = JSON.stringify({
        assumeRoleInfo: { roleJrn: options.role, roleSessionName, policy, durationSeconds },
      })
      const requestedAt = now()
      const signed = signJdcloud2({ ...kind, body, date: signingDate(requestedAt), nonce: nonce() }, by)
      // TLS asks for a certificate of the host in this header.
      const headers = { ...signed, host: url.host }
      const { timeoutMs } = options
      const response = await askUpstream(pool, { method: 'POST', url: url.href, headers, body, timeoutMs, signal })
      if (response.status !== 200) throw refused(response, describeRefusal(parseJson(response.body), secrets()))
      const { expiration, ...credentials } = readCredentials(response)
      const expiresAt = expirations.read(expiration, { requestedAt, receivedAt: now(), durationSeconds })
      if (expiresAt === undefined) throw unusable('no usable expiration')
      return { ...credentials, expiresAt }
    },
    close: () => pool.close(),
  })
  return { ...source, zone: expirations.zone }
}

function readCredentials({ body }: OutboundResponse) {
  const parsed = successSchema.safeParse(parseJson(body))
  if (!parsed.success) throw unusable('not the documented answer')
  const { accessKey, secretKey, sessionToken, expiration } = parsed.data.result.credentials
  return { accessKey, secretKey, sessionToken, expiration }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
