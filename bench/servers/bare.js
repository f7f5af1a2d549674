import fastify from 'fastify'

/**
 * The minimum: what each Fastify process costs before it does anything. It is JavaScript, so that nothing is compiled.
 */
const app = fastify()
app.get('/readyz', async () => ({ status: 'ready' }))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
