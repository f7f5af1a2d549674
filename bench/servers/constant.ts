import { collectDefaultMetrics, Registry } from 'prom-client'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import { createLogger } from '../../src/observe/log.ts'

/** The service itself, which answers each request that brings a good token with a text that is always the same. */
const optionsSchema = z.object({ environment: z.record(z.string(), z.string()), body: z.string() })
const { environment, body } = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''))

const config = readConfig(environment)
const metrics = new Registry()
collectDefaultMetrics({ register: metrics })
const { app } = await buildApp(config, { logger: createLogger(config.logLevel), metrics })
// After the token was checked and the body read, and before the vend begins.
app.addHook('preValidation', async (request, reply) => {
  if (request.method === 'POST') return reply.type('application/json; charset=utf-8').send(body)
})
await app.listen({ host: config.host, port: config.port })
