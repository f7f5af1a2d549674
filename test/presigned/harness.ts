import type { Test } from 'tap'
import { z } from 'zod'
import { type SandboxOptions, startSandbox } from '../../sandbox/index.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const urlsSchema = z.object({
  urls: z.array(
    z.object({
      operation: z.string(),
      key: z.string(),
      partNumber: z.number().optional(),
      method: z.string(),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
    }),
  ),
  expiration: z.string(),
  expiresInSeconds: z.number(),
})
const postsSchema = z.object({
  posts: z.array(
    z.object({ contentType: z.string().optional(), url: z.string(), fields: z.record(z.string(), z.string()) }),
  ),
  expiration: z.string(),
  expiresInSeconds: z.number(),
})

export type SignedUrl = z.infer<typeof urlsSchema>['urls'][number]
export type SignedPost = z.infer<typeof postsSchema>['posts'][number]

/** Every scope of the shipped templates. */
export const ALL = { scope: 'oss.upload oss.files oss.download' }

/** The service on a sandbox, whose clock they share; it moves only when a test sets `time.now`. */
export async function startSigning(
  t: Test,
  { env = {}, ...options }: SandboxOptions & { env?: Record<string, string> } = {},
) {
  const time = { now: Date.now() }
  const sandbox = await startSandbox({ ...options, scenario: { clock: () => time.now, ...options.scenario } })
  t.teardown(() => sandbox.close())
  // The sandbox's own issuer is refused outside of it, so the tests' one stays.
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const built = await build(t, {
    env: { ...jdcloud, ...env },
    realSts: true,
    dependencies: { now: () => time.now },
  })
  const bucket = sandbox.oss.store.get('test-app')
  if (!bucket) throw new Error('no bucket')

  async function ask(url: string, payload: unknown, token: Record<string, unknown> = {}) {
    const headers = {
      authorization: `Bearer ${mint(claims({ ...ALL, ...token }))}`,
      'content-type': 'application/json',
    }
    const answer = await built.app.inject({ method: 'POST', url, headers, payload: JSON.stringify(payload) })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() }
  }

  return {
    ...built,
    sandbox,
    bucket,
    time,
    ask,
    askUrls: (payload: unknown, token?: Record<string, unknown>) => ask('/v1/presigned-urls', payload, token),
    askPosts: (payload: unknown, token?: Record<string, unknown>) => ask('/v1/presigned-posts', payload, token),
    async urls(payload: unknown, token?: Record<string, unknown>) {
      return urlsSchema.parse((await ask('/v1/presigned-urls', payload, token)).body)
    },
    async posts(payload: unknown, token?: Record<string, unknown>) {
      return postsSchema.parse((await ask('/v1/presigned-posts', payload, token)).body)
    },
  }
}

/** Does what a thin client does: sends what it was told to send. */
export async function use(
  { method, url, headers }: SignedUrl,
  body?: string | Buffer,
  more: Record<string, string> = {},
) {
  const answer = await fetch(url, { method, headers: { ...headers, ...more }, ...(body !== undefined && { body }) })
  const text = await answer.text()
  return {
    status: answer.status,
    etag: answer.headers.get('etag') ?? '',
    text,
    code: /<Code>(\w+)<\/Code>/u.exec(text)?.[1],
  }
}

/** Posts a form with a file, as a page does. */
export async function submit({ url, fields }: SignedPost, body: string | Buffer, more: Record<string, string> = {}) {
  const form = new FormData()
  for (const [name, value] of Object.entries({ ...fields, ...more })) form.append(name, value)
  form.append('file', new Blob([body]), 'f.txt')
  const answer = await fetch(url, { method: 'POST', body: form })
  return `${answer.status} ${/<Code>(\w+)<\/Code>/u.exec(await answer.text())?.[1] ?? ''}`.trim()
}
