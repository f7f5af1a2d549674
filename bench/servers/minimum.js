import fastifyJwt from '@fastify/jwt'
import fastify from 'fastify'

/**
 * The rival of cached vends: the least that a careful engineer would write to check a token and return a text. It
 * shares no code with the service, and is JavaScript, so that nothing is compiled.
 *
 * `cacheEntries` is the number of verified tokens that fast-jwt remembers; 0 for none.
 */
const { port, key, algorithm, issuer, audience, answer, cacheEntries } = JSON.parse(process.argv[2])

const app = fastify({ logger: true, disableRequestLogging: true })
await app.register(fastifyJwt, {
  secret: algorithm === 'HS256' ? key : { public: key },
  verify: {
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: ['iss', 'aud', 'exp', 'sub'],
    cache: cacheEntries === 0 ? false : cacheEntries,
  },
})
app.get('/readyz', async () => ({ status: 'ready' }))
app.route({
  method: 'POST',
  url: '/v1/credentials',
  schema: {
    body: {
      type: 'object',
      required: ['policy'],
      additionalProperties: false,
      properties: {
        policy: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,31}$' },
        params: { type: 'object', additionalProperties: { type: ['string', 'integer'] } },
        durationSeconds: { type: 'integer', minimum: 3600, maximum: 43200 },
        minValiditySeconds: { type: 'integer', minimum: 900, maximum: 21600 },
      },
    },
  },
  onRequest: (request) => request.jwtVerify(),
  handler: async (request, reply) => {
    request.log.info({ policy: request.body.policy, address: request.ip, subject: request.user.sub }, 'vended')
    return reply.type('application/json; charset=utf-8').send(answer)
  },
})
await app.listen({ host: '127.0.0.1', port })
