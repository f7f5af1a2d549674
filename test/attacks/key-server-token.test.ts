import { writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { Registry } from 'prom-client'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { listen } from '../helpers/listen.ts'
import { profiles } from '../helpers/profiles.ts'
import { AUDIENCE } from '../helpers/tokens.ts'

const TOKEN = 'SENTINEL-bearer-of-the-key-server'

t.test('the token for a key server reaches no log and no metric, whatever is answered', async (t) => {
  const rows: { name: string; handler: RequestListener; content?: string; want: string }[] = [
    {
      name: 'it is sent back as text',
      handler: ({ headers }, response) => response.end(headers.authorization),
      want: 'not_json',
    },
    {
      name: 'it is sent back as a key',
      handler: ({ headers }, response) =>
        response.end(
          JSON.stringify({ keys: [{ kty: 'RSA', kid: `${headers.authorization}`, n: headers.authorization }] }),
        ),
      want: 'ok',
    },
    {
      name: 'it is sent back as a redirect',
      handler: ({ headers }, response) =>
        response.writeHead(302, { location: `http://127.0.0.1:1/?${headers.authorization}` }).end(),
      want: 'http_3xx',
    },
    { name: 'it is refused', handler: (_request, response) => response.writeHead(401).end(), want: 'http_4xx' },
    { name: 'the connection breaks', handler: ({ socket }) => socket.destroy(), want: 'network' },
    {
      name: 'the file has become something else',
      handler: (_request, response) => response.end(),
      content: `${TOKEN}\r\nx-more: ${TOKEN}`,
      want: 'bad_token_file',
    },
  ]
  for (const { name, handler, content, want } of rows) {
    t.test(name, async (t) => {
      const url = await listen(t, handler)
      const entry = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE, jwksTimeoutMs: 10_000 }
      const metrics = new Registry()
      const env = profiles(t, [{ ...entry, jwksUrl: url, jwksTokenFile: 'hmac.txt' }])
      const file = env.JWT_ISSUERS_FILE?.replace('issuers.yaml', 'hmac.txt') ?? ''
      await writeFile(file, TOKEN)
      const { app, reload, logs } = await build(t, { env, dependencies: { metrics } })
      if (content !== undefined) await writeFile(file, content)
      await app.ready()
      await reload()
      const counted = await metrics.metrics()
      t.match(counted, `oss_vend_key_set_fetches_total{issuer="web",result="${want}"}`)
      t.notMatch(logs.text() + counted, /SENTINEL/u)
    })
  }
})
