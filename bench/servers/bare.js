import fastify from 'fastify'

/** The least that answers: what any Fastify pays before it does anything. JavaScript, so that nothing is compiled. */
const app = fastify()
app.get('/readyz', async () => ({ status: 'ready' }))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
