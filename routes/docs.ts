import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { VendError } from '../src/errors.ts'
import type { App } from './services.ts'

const PREFIX = '/docs'
/** What a browser says of the copy that it has. */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'range'] as const
/** What describes the connection to the page, and not the page. */
const OF_CONNECTION = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']

/**
 * `GET /docs`, the page that browses the document. It is a server inside of this one, made when somebody first opens it:
 * to load what it is made of takes a tenth of a start, and most processes never show it.
 */
export function docsRoutes(app: App): void {
  let page: Promise<FastifyInstance> | undefined

  async function show(request: FastifyRequest, reply: FastifyReply) {
    page ??= createPage(app).catch((error: unknown) => {
      page = undefined
      throw error
    })
    const conditions = CONDITIONS.flatMap((name) => (request.headers[name] ? [[name, request.headers[name]]] : []))
    const answer = await (await page).inject({ url: request.url, headers: Object.fromEntries(conditions) })
    if (answer.statusCode === 404) throw new VendError('not_found')
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined && !OF_CONNECTION.includes(name)) reply.header(name, value)
    }
    return reply.code(answer.statusCode).send(answer.rawPayload)
  }

  for (const url of [PREFIX, `${PREFIX}/*`]) app.route({ method: 'GET', url, schema: { hide: true }, handler: show })
}

async function createPage(app: App): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const page = fastify()
  await page.register(swagger, { openapi: {}, transformObject: () => app.swagger() })
  await page.register(swaggerUi, {
    routePrefix: PREFIX,
    staticCSP: true,
    transformStaticCSP: () =>
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
    theme: { title: 'oss-vend' },
    // Without the bar of the viewer's maker, whose field loads any other document.
    uiConfig: { layout: 'BaseLayout', validatorUrl: null, deepLinking: true },
  })
  await page.ready()
  return page
}
