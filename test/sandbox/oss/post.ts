import { signingDate } from '../../../src/lib/signature-v4.ts'
import { BUCKET, type Oss, OWNER } from './harness.ts'
import { hmacChain, type Keys, scopeOf } from './sigv4.ts'

/** A signed form that meets its policy, with optional changes. */
export type Post = Readonly<{
  keys?: Keys
  /** Replaces the conditions that cover the fields. */
  conditions?: readonly unknown[]
  expiresIn?: number
  region?: string
  /** Fields besides key and signature. `undefined` leaves one out. */
  fields?: Readonly<Record<string, string | undefined>>
  file?: string | null
  filename?: string
  /** Replaces the policy after it was signed. */
  policy?: string
  /** Fields after the file. */
  after?: Readonly<Record<string, string>>
}>

/** Posts a form as a browser does. */
export async function post(oss: Oss, input: Post) {
  const { keys = OWNER, file = 'hello', filename = 'a.txt', expiresIn = 60_000 } = input
  const scope = { date: signingDate(oss.time.now), region: input.region ?? oss.world.region, service: 's3' }
  const fields: Record<string, string | undefined> = {
    key: 'users/alice/a.txt',
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${keys.accessKey}/${scopeOf(scope)}`,
    'x-amz-date': scope.date,
    ...(keys.sessionToken !== undefined && { 'x-amz-security-token': keys.sessionToken }),
    ...input.fields,
  }
  const covering = Object.keys(fields).map((name) => ['starts-with', `$${name}`, ''])
  const document = {
    expiration: new Date(oss.time.now + expiresIn).toISOString(),
    conditions: [{ bucket: BUCKET }, ...covering, ...(input.conditions ?? [])],
  }
  const policy = Buffer.from(JSON.stringify(document)).toString('base64')
  const form = new FormData()
  const signed = { policy, 'x-amz-signature': hmacChain(scope, keys.secretKey, policy) }
  for (const [name, value] of Object.entries({ ...signed, ...fields, ...(input.policy && { policy: input.policy }) })) {
    if (value !== undefined) form.append(name, value)
  }
  if (file !== null) form.append('file', new Blob([file]), filename)
  for (const [name, value] of Object.entries(input.after ?? {})) form.append(name, value)
  const answer = await fetch(`${oss.url}/${BUCKET}`, { method: 'POST', body: form, redirect: 'manual' })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, code: /<Code>(\w+)<\/Code>/u.exec(text)?.[1] }
}
