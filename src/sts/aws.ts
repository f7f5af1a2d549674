import { z } from 'zod'
import type { OutboundResponse, Pool } from '../lib/outbound.ts'
import { signAws, signingDate } from '../lib/signature-v4.ts'
import { awsRefusal } from './aws-refusal.ts'
import { readXml } from './aws-xml.ts'
import type { KeyedSource } from './credentials.ts'
import { createKeyedSource } from './keyed.ts'
import { askUpstream, createStsPool, type StsOptions, unusable } from './upstream.ts'

/** How to ask an AWS-compatible STS. `role` is an ARN. */
type AwsOptions = StsOptions & Readonly<{ region: string }>

type Dependencies = Readonly<{
  /** A session policy in the language of AWS, for one in JD Cloud's. */
  translate: (policy: string) => string
  pool?: Pool
  now?: () => number
}>

const FORM = 'application/x-www-form-urlencoded'

/** Entities are not decoded, so a key with one would be a wrong key. No STS writes such keys. */
const key = z
  .string()
  .regex(/^[\x21-\x7e]{1,8192}$/u)
  .regex(/^[^&<>]*$/u)
const successSchema = z.looseObject({
  AssumeRoleResponse: z.looseObject({
    AssumeRoleResult: z.looseObject({
      Credentials: z.looseObject({
        AccessKeyId: key,
        SecretAccessKey: key,
        SessionToken: key,
        Expiration: z.string(),
      }),
    }),
  }),
})

/** The credential source that asks an AWS-compatible STS by the Query API: Ceph, MinIO, AWS. */
export function createAwsSts(options: AwsOptions, { translate, ...dependencies }: Dependencies): KeyedSource {
  const { pool = createStsPool(options), now = Date.now } = dependencies
  const { role, region, timeoutMs } = options
  const url = new URL('/', options.endpoint)
  const kind = { method: 'POST', host: url.host, path: '/', headers: { 'content-type': FORM }, service: 'sts', region }

  return createKeyedSource(options, {
    async ask({ roleSessionName, policy, durationSeconds }, { by, secrets, signal }) {
      const body = new URLSearchParams({
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: role,
        RoleSessionName: roleSessionName,
        Policy: translate(policy),
        DurationSeconds: String(durationSeconds),
      }).toString()
      const requestedAt = now()
      const headers = signAws({ ...kind, body, date: signingDate(requestedAt) }, by)
      const response = await askUpstream(pool, { method: 'POST', url: url.href, headers, body, timeoutMs, signal })
      if (response.status !== 200) throw awsRefusal(response, secrets())
      const { expiration, ...credentials } = readCredentials(response)
      // Whatever STS or the clocks say, a session is never taken to be longer than it was asked to be.
      const expiresAt = Math.min(parseUtc(expiration) ?? 0, requestedAt + durationSeconds * 1000)
      if (expiresAt <= now()) throw unusable('no usable expiration')
      return { ...credentials, expiresAt }
    },
    close: () => pool.close(),
  })
}

function readCredentials({ body }: OutboundResponse) {
  const parsed = successSchema.safeParse(readXml(body))
  if (!parsed.success) throw unusable('not the documented answer')
  const { Credentials } = parsed.data.AssumeRoleResponse.AssumeRoleResult
  const { AccessKeyId: accessKey, SecretAccessKey: secretKey, SessionToken: sessionToken } = Credentials
  return { accessKey, secretKey, sessionToken, expiration: Credentials.Expiration }
}

/** RFC 3339 in UTC, with up to nine digits of a second: AWS writes three, Ceph nine, MinIO none. Rounded down. */
function parseUtc(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/u.exec(text)
  if (!match) return undefined
  const iso = `${match[1]}.${(match[2] ?? '').slice(0, 3).padEnd(3, '0')}Z`
  const epoch = Date.parse(iso)
  // Date.parse lets 30 February roll over into March; a date that reads back differently was none.
  return Number.isNaN(epoch) || new Date(epoch).toISOString() !== iso ? undefined : epoch
}
