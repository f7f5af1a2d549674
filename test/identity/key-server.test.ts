import { generateKeyPairSync } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import t, { type Test } from 'tap'
import { createKeyPool } from '../../src/identity/key-server.ts'
import type { FetchedOrigin } from '../../src/identity/key-source.ts'
import { createRemoteKeySet } from '../../src/identity/remote-keys.ts'
import { certificateOf } from '../helpers/certificate.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys } from '../helpers/tokens.ts'

const SET = JSON.stringify({ keys: [jwk('a')] })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })

async function port(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** A server on a loopback port that keeps what was asked of it. */
async function serve(t: Test, answer: RequestListener, tls?: { cert: string; key: string }) {
  const seen: (string | undefined)[] = []
  const handler: RequestListener = (request, response) => {
    seen.push(request.headers.authorization)
    answer(request, response)
  }
  const number = await port(t, tls ? createTlsServer(tls, handler) : createServer(handler))
  return { seen, url: tls ? `https://localhost:${number}` : `http://127.0.0.1:${number}` }
}

/** Fetches a key set as often as it is told to; each result is `ok` or why there is none. */
function fetching(t: Test, origin: FetchedOrigin) {
  const results: string[] = []
  const pool = createKeyPool(origin)
  t.teardown(() => pool.close())
  const onFetch = ({ result }: { result: string }) => void results.push(result)
  const keySet = createRemoteKeySet(origin, { pool, sandbox: false, onFetch })
  return async () => {
    await keySet.refresh()
    return results.at(-1)
  }
}

const limits = { maxAgeSeconds: 60, timeoutMs: 2000, maxBytes: 262_144 }
const privatePem = (key: typeof other) => String(key.privateKey.export({ type: 'pkcs8', format: 'pem' }))

t.test('the bearer token is read anew for each fetch', async (t) => {
  const { url, seen } = await serve(t, (_request, response) => response.end(SET))
  const dir = t.testdir({ token: 'first\n' })
  const fetchKeys = fetching(t, { ...limits, kind: 'jwks', url: `${url}/k`, tokenFile: `${dir}/token` })
  t.equal(await fetchKeys(), 'ok')
  await writeFile(`${dir}/token`, 'second')
  t.equal(await fetchKeys(), 'ok')
  for (const content of ['', 'two tokens', 'with\r\na header: x', 'é', 'x'.repeat(16_385)]) {
    await writeFile(`${dir}/token`, content)
    t.equal(await fetchKeys(), 'bad_token_file', JSON.stringify(content.slice(0, 20)))
  }
  await rm(`${dir}/token`)
  t.equal(await fetchKeys(), 'bad_token_file', 'no file')
  t.strictSame(seen, ['Bearer first', 'Bearer second'], 'and nobody is asked without it')
})

t.test('the bearer token goes to its key server alone', async (t) => {
  const dir = t.testdir({ token: 'SENTINEL' })
  const token = { tokenFile: `${dir}/token` }
  t.test('and not where that redirects', async (t) => {
    const elsewhere = await serve(t, (_request, response) => response.end(SET))
    const { url, seen } = await serve(t, (_request, response) =>
      response.writeHead(307, { location: elsewhere.url }).end(),
    )
    t.equal(await fetching(t, { ...limits, ...token, kind: 'jwks', url })(), 'http_307')
    t.strictSame([seen, elsewhere.seen], [['Bearer SENTINEL'], []])
  })
  t.test('and not where a discovery document leads', async (t) => {
    const elsewhere = await serve(t, (_request, response) => response.end(SET))
    let issuer = ''
    const { url, seen } = await serve(t, (_request, response) =>
      response.end(JSON.stringify({ issuer, jwks_uri: `${elsewhere.url}/k` })),
    )
    issuer = url
    const origin = { ...limits, ...token, kind: 'discovery', issuer, origins: [elsewhere.url] } as const
    t.equal(await fetching(t, origin)(), 'ok')
    t.strictSame([seen, elsewhere.seen], [['Bearer SENTINEL'], [undefined]])
  })
  t.test('and to its key set, where discovery stays at home', async (t) => {
    let issuer = ''
    const { url, seen } = await serve(t, (request, response) =>
      response.end(request.url === '/k' ? SET : JSON.stringify({ issuer, jwks_uri: `${issuer}/k` })),
    )
    issuer = url
    t.equal(await fetching(t, { ...limits, ...token, kind: 'discovery', issuer, origins: [] })(), 'ok')
    t.strictSame(seen, ['Bearer SENTINEL', 'Bearer SENTINEL'])
  })
})

t.test('a key server is trusted by the configured authority alone', async (t) => {
  const cert = certificateOf(keys.rsa)
  const { url } = await serve(t, (_request, response) => response.end(SET), { cert, key: privatePem(keys.rsa) })
  const dir = t.testdir({ ca: cert, other: certificateOf(other), two: cert + certificateOf(other), none: 'nothing' })
  const rows = [
    { name: 'its own', caFile: `${dir}/ca`, want: 'ok' },
    { name: 'one of two', caFile: `${dir}/two`, want: 'ok' },
    { name: 'another', caFile: `${dir}/other`, want: 'network' },
    { name: 'no certificate', caFile: `${dir}/none`, want: 'network' },
    { name: 'no file', caFile: `${dir}/missing`, want: 'network' },
    { name: 'those of the machine', want: 'network' },
  ]
  for (const { name, caFile, want } of rows) {
    t.test(name, async (t) => {
      const origin = { ...limits, kind: 'jwks', url, ...(caFile !== undefined && { caFile }) } as const
      t.equal(await fetching(t, origin)(), want)
    })
  }
})

t.test('time and size are limits of each issuer', async (t) => {
  const slow = await serve(t, () => {})
  t.equal(await fetching(t, { ...limits, kind: 'jwks', url: slow.url, timeoutMs: 100 })(), 'timeout')
  const large = await serve(t, (_request, response) => response.end(SET.padEnd(4000)))
  t.equal(await fetching(t, { ...limits, kind: 'jwks', url: large.url, maxBytes: 3999 })(), 'too_large')
  t.equal(await fetching(t, { ...limits, kind: 'jwks', url: large.url, maxBytes: 4000 })(), 'ok')
})
