import { Registry } from 'prom-client'
import { z } from 'zod'
import { requireBearer } from '../../routes/authenticated.ts'
import { readConfig } from '../../src/config.ts'
import { createDrain } from '../../src/drain.ts'
import { registerIdentity } from '../../src/identity/authenticate.ts'
import { createConfiguredKey } from '../../src/identity/configured-key.ts'
import { createOverload } from '../../src/limits/overload.ts'
import { registerRateLimits } from '../../src/limits/rate-limits.ts'
import { createLogger } from '../../src/observe/log.ts'
import { createServer } from '../../src/server.ts'

/** The service's own Fastify and its own check of tokens in front of an answer that is always the same. */
const optionsSchema = z.object({ environment: z.record(z.string(), z.string()), body: z.string() })
const { environment, body } = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''))

const config = readConfig(environment)
const logger = createLogger(config.logLevel)
const metrics = new Registry()
const app = await createServer(config, logger)
createDrain(app)
const overload = createOverload(config.overload, { logger, metrics })
const issuers = config.issuers.map((issuer) => ({ issuer, key: createConfiguredKey(issuer, {}) }))
const verify = await registerIdentity(app, issuers)
const identify: typeof verify = async (...presented) => {
  overload.refuse()
  return verify(...presented)
}
const authenticate = await registerRateLimits(app, config, identify, { now: Date.now, metrics })

app.route({ method: 'GET', url: '/readyz', handler: async (_request, reply) => reply.send('{"status":"ready"}') })
app.route({
  method: 'POST',
  url: '/v1/credentials',
  onRequest: requireBearer(authenticate),
  handler: async (_request, reply) => reply.type('application/json; charset=utf-8').send(body),
})
await app.listen({ host: config.host, port: config.port })
