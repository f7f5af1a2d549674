import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { certificateOf } from '../helpers/certificate.ts'
import { listen } from '../helpers/listen.ts'
import { profiles } from '../helpers/profiles.ts'
import { AUDIENCE, keys } from '../helpers/tokens.ts'

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

t.test('a file without certificates, as while it is written anew, makes no authority trusted', async (t) => {
  const whole = certificateOf(keys.rsa)
  const dir = t.testdir({ ca: '' })
  // A machine that trusts the authority of an attacker: were it asked, the server would be let in.
  const script = `
    import { createKeyClient, createKeyPool } from './src/identity/key-server.ts'
    const limits = { timeoutMs: 2000, maxBytes: 1024 }
    const fetchJson = createKeyClient({ ...limits, pool: createKeyPool({ ...limits, caFile: process.argv[2] }) })
    await fetchJson(process.argv[1]).then(console.log, ({ code }) => console.log(code))`
  const server = createServer(
    { cert: whole, key: String(keys.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })) },
    (_request, response) => response.end('"trusted"'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const url = `https://localhost:${typeof address === 'object' ? address?.port : 0}`
  await writeFile(`${dir}/extra`, whole)
  for (const { content, want } of [
    { content: '', want: 'NO_CERTIFICATES' },
    { content: '\n', want: 'NO_CERTIFICATES' },
    { content: whole.slice(0, -40), want: 'NO_CERTIFICATES' },
    { content: whole, want: 'trusted' },
  ]) {
    await writeFile(`${dir}/ca`, content)
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script, url, `${dir}/ca`]
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: `${dir}/extra` }
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    t.equal(stdout.trim(), want, JSON.stringify(content.slice(0, 30)))
  }
})
