import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { MockAgent } from 'undici'
import { createKeyPool } from '../../src/identity/key-server.ts'
import type { FetchedOrigin } from '../../src/identity/key-source.ts'
import { createRemoteKeySet } from '../../src/identity/remote-keys.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { keys, pem } from '../helpers/tokens.ts'

const LIMIT = 256 * 1024
const SET = JSON.stringify({ keys: [jwk('a')] })
const FOUND = pem(keys.rsa.publicKey).trim()
const DISCOVERY = '/.well-known/openid-configuration'

const fetching = { maxAgeSeconds: 60, timeoutMs: 2000, maxBytes: LIMIT }
const at = (url: string, more: Partial<FetchedOrigin> = {}): FetchedOrigin => ({
  ...fetching,
  ...more,
  kind: 'jwks',
  url,
})
const discovered = (issuer: string): FetchedOrigin => ({ ...fetching, kind: 'discovery', issuer, origins: [] })

/** What comes of fetching an issuer's keys once: the key called `a`, or how it failed. */
async function outcome(t: Test, origin: FetchedOrigin, { pool = createKeyPool(origin), sandbox = false } = {}) {
  const results: string[] = []
  const onFetch = ({ result }: { result: string }) => void results.push(result)
  const keySet = createRemoteKeySet(origin, { pool, sandbox, onFetch })
  t.teardown(() => pool.close())
  await keySet.refresh()
  const [result] = results
  return result === 'ok' ? keySet.find({ alg: 'RS256', kid: 'a' }) : result
}

const jwks = async (t: Test, handler: RequestListener, more: Partial<FetchedOrigin> = {}) =>
  outcome(t, at(`${await listen(t, handler)}/jwks`, more))

t.test('what a key server may answer', async (t) => {
  const visits: string[] = []
  const elsewhere = await listen(t, (request, response) => {
    visits.push(request.url ?? '')
    response.end(SET)
  })
  const sized = (bytes: number) => SET.slice(0, -1).padEnd(bytes - 1) + SET.slice(-1)
  const redirect =
    (status: number): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { location: `${elsewhere}/${status}` }).end(SET)
  const rows: { name: string; handler: RequestListener; want: string }[] = [
    { name: 'a key set', handler: (_request, response) => response.end(SET), want: FOUND },
    {
      name: 'a key set that is no JSON by its type',
      handler: (_request, response) => response.setHeader('content-type', 'text/plain').end(SET),
      want: FOUND,
    },
    { name: '256 KiB', handler: (_request, response) => response.end(sized(LIMIT)), want: FOUND },
    { name: 'one byte more', handler: (_request, response) => response.end(sized(LIMIT + 1)), want: 'too_large' },
    {
      name: 'one byte more, of unknown length',
      handler: (_request, response) => {
        response.write(sized(LIMIT + 1).slice(0, LIMIT))
        response.end(sized(LIMIT + 1).slice(LIMIT))
      },
      want: 'too_large',
    },
    {
      name: 'without end',
      handler: (_request, response) => {
        const more = () => {
          while (response.writable && response.write(' '.repeat(65_536)));
        }
        response.on('drain', more)
        more()
      },
      want: 'too_large',
    },
    {
      name: 'a compressed bomb',
      handler: (_request, response) => response.setHeader('content-encoding', 'gzip').end('not even compressed'),
      want: 'not_json',
    },
    ...[301, 302, 303, 307, 308].map((status) => ({
      name: `${status} to elsewhere`,
      handler: redirect(status),
      want: `http_${status}`,
    })),
    ...[201, 204, 404, 429, 500, 503].map((status) => ({
      name: String(status),
      handler: ((_request, response) => response.writeHead(status).end(SET)) satisfies RequestListener,
      want: `http_${status}`,
    })),
    { name: 'nothing', handler: (_request, response) => response.end(), want: 'not_json' },
    { name: 'HTML', handler: (_request, response) => response.end('<html>'), want: 'not_json' },
    { name: 'half a set', handler: (_request, response) => response.end(SET.slice(0, -2)), want: 'not_json' },
    { name: 'no set', handler: (_request, response) => response.end('{"keys":7}'), want: 'no_keys' },
    { name: 'its end', handler: (request) => request.socket.destroy(), want: 'network' },
    {
      name: 'its end, half way',
      handler: (request, response) => {
        response
          .writeHead(200, { 'content-length': SET.length })
          .write(SET.slice(0, 10), () => request.socket.destroy())
      },
      want: 'network',
    },
  ]
  for (const { name, handler, want } of rows) t.test(name, async (t) => t.equal(await jwks(t, handler), want))
  t.test('nobody was sent elsewhere', async (t) => t.strictSame(visits, []))
  t.test('nobody there', async (t) => {
    t.equal(await outcome(t, at('http://127.0.0.1:1')), 'network')
  })
})

t.test('a key server has two seconds, for all of its answer', async (t) => {
  const rows: { name: string; handler: RequestListener }[] = [
    { name: 'which it does not begin', handler: () => {} },
    { name: 'which it does not end', handler: (_request, response) => void response.write('{"keys":[') },
  ]
  for (const { name, handler } of rows) {
    t.test(name, async (t) => {
      // The same signal, only sooner: the test need not wait for as long as a caller would.
      const { timeout } = AbortSignal
      const asked = t.capture(AbortSignal, 'timeout', () => timeout.call(AbortSignal, 50))
      t.equal(await jwks(t, handler), 'timeout')
      t.strictSame(
        asked().map(({ args }) => args),
        [[2000]],
      )
    })
  }
})

t.test('the request asks for JSON and brings nothing of ours', async (t) => {
  const seen: unknown[] = []
  await jwks(t, ({ method, url, headers: { host, connection, ...headers } }, response) => {
    seen.push({ method, url, headers })
    response.end(SET)
  })
  t.strictSame(seen, [{ method: 'GET', url: '/jwks', headers: { accept: 'application/json' } }])
})

t.test('discovery', async (t) => {
  const rows: { name: string; document: (issuer: string) => unknown; suffix?: string; want: string }[] = [
    { name: 'works', document: (issuer) => ({ issuer, jwks_uri: `${issuer}/k` }), want: FOUND },
    {
      name: 'of an issuer with a path',
      document: (issuer) => ({ issuer, jwks_uri: `${issuer}/k` }),
      suffix: '/tenant',
      want: FOUND,
    },
    {
      name: 'of an issuer with a slash behind',
      document: (issuer) => ({ issuer, jwks_uri: `${issuer}k` }),
      suffix: '/',
      want: FOUND,
    },
    {
      name: 'of another issuer',
      document: (issuer) => ({ issuer: `${issuer}x`, jwks_uri: `${issuer}/k` }),
      want: 'other_issuer',
    },
    {
      name: 'that differs by a slash',
      document: (issuer) => ({ issuer: `${issuer}/`, jwks_uri: `${issuer}/k` }),
      want: 'other_issuer',
    },
    ...[
      'http://keys.test/k',
      'http://127.0.0.1.evil.test/k',
      'file:///etc/passwd',
      '/k',
      '',
      'https://u:p@keys.test/k',
      'ftp://127.0.0.1/',
    ].map((jwks_uri) => ({
      name: `to ${jwks_uri}`,
      document: (issuer: string) => ({ issuer, jwks_uri }),
      want: 'address_refused',
    })),
    { name: 'without an address', document: (issuer) => ({ issuer }), want: 'no_jwks_uri' },
    { name: 'with a list of them', document: (issuer) => ({ issuer, jwks_uri: [`${issuer}/k`] }), want: 'no_jwks_uri' },
    { name: 'that is null', document: () => null, want: 'no_jwks_uri' },
    { name: 'without an issuer', document: (issuer) => ({ jwks_uri: `${issuer}/k` }), want: 'no_jwks_uri' },
  ]
  for (const { name, document, suffix = '', want } of rows) {
    t.test(name, async (t) => {
      const visits: (string | undefined)[] = []
      const base = await listen(t, ({ url }, response) => {
        visits.push(url)
        response.end(url?.endsWith(DISCOVERY) ? JSON.stringify(document(base + suffix)) : SET)
      })
      t.equal(await outcome(t, discovered(base + suffix)), want)
      const path = suffix.replace(/\/$/u, '')
      t.strictSame(visits, [`${path}${DISCOVERY}`, ...(want === FOUND ? [`${path}/k`] : [])])
    })
  }
  t.test('is not sent elsewhere', async (t) => {
    const base = await listen(t, (_request, response) => response.writeHead(302, { location: `${base}/x` }).end())
    t.equal(await outcome(t, discovered(base)), 'http_302')
  })
})

t.test('in a sandbox, discovery may lead over plain http', async (t) => {
  for (const sandbox of [false, true]) {
    const agent = new MockAgent()
    agent.disableNetConnect()
    const pool = { dispatcher: agent, close: () => agent.close() }
    const mock = agent.get('http://idp.test')
    const document = { issuer: 'http://idp.test', jwks_uri: 'http://idp.test/k' }
    mock.intercept({ path: DISCOVERY }).reply(200, document)
    mock.intercept({ path: '/k' }).reply(200, SET)
    const want = sandbox ? FOUND : 'address_refused'
    t.equal(await outcome(t, discovered('http://idp.test'), { pool, sandbox }), want)
  }
})
