import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { VendError } from '../src/errors.ts'
import type { App } from '../src/http/fastify.ts'
import { type PublicFile, publicFile, sendFile } from './cached.ts'

/** Files are looked up by name, so no part of a URL becomes a path. */
const FILES = new Map([
  ['index.css', 'text/css; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
])

// Relative addresses, because a proxy may serve all of this below another path.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>oss-vend</title>
<link rel="stylesheet" href="docs/static/swagger-ui.css">
<link rel="stylesheet" href="docs/static/index.css">
<link rel="icon" type="image/png" href="docs/static/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/static/swagger-ui-bundle.js"></script>
<script src="docs/static/start.js"></script>
</body>
</html>
`
// Without the viewer's top bar, because its field loads any other document.
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  layout: 'BaseLayout',
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
  deepLinking: true,
})
`
/** A page runs scripts, opens windows and follows links, which JSON does not. */
const PAGE_HEADERS = Object.freeze({
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
})
/** File names carry no version, so browsers must ask again after an hour. */
const HOUR = 'public, max-age=3600'

/**
 * `GET /docs`: the page that shows the document. All its files come from the package and are read on the first request.
 */
export function docsRoutes(app: App): void {
  const page = publicFile('text/html; charset=utf-8', 'no-cache', Buffer.from(PAGE))
  const files = new Map<string, Promise<PublicFile>>([
    ['start.js', Promise.resolve(publicFile('text/javascript; charset=utf-8', HOUR, Buffer.from(START)))],
  ])
  function find(name: string): Promise<PublicFile> {
    const known = files.get(name)
    if (known) return known
    const type = FILES.get(name)
    if (type === undefined) throw new VendError('not_found')
    const path = new URL(import.meta.resolve(`@fastify/swagger-ui/static/${name}`))
    const read = readFile(path).then((bytes) => publicFile(type, HOUR, bytes))
    files.set(name, read)
    read.catch(() => files.delete(name))
    return read
  }

  app.route({
    method: 'GET',
    url: '/docs',
    schema: { hide: true },
    handler: async (request, reply) => sendFile(request, reply.headers(PAGE_HEADERS), page),
  })
  app.route({
    method: 'GET',
    url: '/docs/',
    schema: { hide: true },
    handler: async (_request, reply) => reply.redirect('../docs', 308),
  })
  app.route({
    method: 'GET',
    url: '/docs/static/:file',
    schema: { hide: true, params: z.strictObject({ file: z.string() }) },
    handler: async (request, reply) => sendFile(request, reply, await find(request.params.file)),
  })
}
