import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Sandbox } from '../index.ts'
import { mintToken } from '../issuer.ts'
import { readPage } from './files.ts'
import { faultOf, STORE_HEALTH, type StoreHealth } from './store-health.ts'
import { DEMO_USERS } from './users.ts'

/** The service's Fastify instance, by its public type: the sandbox must not import the service. */
type Host = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** The sandbox keeps each file in memory. */
const MAX_FILE_BYTES = 64_000_000
/** Little more than the 5 MiB that S3 asks of a part, so that a file of a few megabytes shows several parts. */
const PART_BYTES = 6_000_000
const TOKEN_SECONDS = 7200

/** Own script and style, and requests to the service and the store. Trusted types turn off `innerHTML` and its kin. */
const policyOf = (oss: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${oss}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')

/**
 * Adds the browser demo under `/demo`, with the two endpoints that a real app has elsewhere: a login that gives out
 * tokens, and a switch for the store's health. Only for the sandbox: everybody may sign in as anybody.
 */
export async function serveDemo(app: Host, { world, oss }: Sandbox): Promise<void> {
  const headers = {
    'content-security-policy': policyOf(oss.url),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  }
  for (const [path, { type, body }] of await readPage()) {
    app.route({
      method: 'GET',
      url: `/demo${path}`,
      schema: { hide: true },
      handler: async (_request, reply) => reply.headers(headers).type(type).send(body),
    })
  }

  let storeHealth: StoreHealth = 'normal'
  app.route({
    method: 'GET',
    url: '/demo/config.json',
    schema: { hide: true },
    handler: async () => ({
      // Over plain http, because a browser does not trust the sandbox's own certificates.
      ossEndpoint: oss.url,
      maxFileBytes: MAX_FILE_BYTES,
      partBytes: PART_BYTES,
      storeHealth,
      users: DEMO_USERS,
    }),
  })

  app.route({
    method: 'POST',
    url: '/demo/token',
    schema: { hide: true, body: z.strictObject({ user: z.enum(DEMO_USERS.map(({ id }) => id)) }) },
    handler: async ({ body }) => {
      const { id: sub = '', scope = '' } = DEMO_USERS.find(({ id }) => id === body.user) ?? {}
      // By the world's clock, which tests move, as the service reads it too.
      const iat = Math.floor(world.clock() / 1000)
      return { token: await mintToken({ sub, claims: { scope, iat, exp: iat + TOKEN_SECONDS } }) }
    },
  })

  app.route({
    method: 'POST',
    url: '/demo/store',
    schema: { hide: true, body: z.strictObject({ health: z.enum(STORE_HEALTH) }) },
    handler: async ({ body: { health } }) => {
      oss.faults.set(faultOf(health))
      storeHealth = health
      return { health }
    },
  })

  // For the policy that only reads.
  oss.store
    .get('test-app')
    ?.put(
      'public/welcome.txt',
      Buffer.from('Hello from the sandbox: everybody with the shared-download policy may read this file.\n'),
      new Map([['content-type', 'text/plain; charset=utf-8']]),
    )
}
