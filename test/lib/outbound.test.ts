import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { call, createPool, createRoute, OutboundError, type PoolOptions } from '../../src/lib/outbound.ts'
import { parseProxyUrl } from '../../src/lib/proxy.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { answerWith, connectProxy, type OnConnect, tunnelTo } from '../helpers/connect-proxy.ts'
import { listen } from '../helpers/listen.ts'
import { until } from '../helpers/until.ts'

const authority = await createAuthority()
const HOST = 'sts.example.test'
const certificate = await authority.certify(HOST, '127.0.0.1')
const ok: RequestListener = (_request, response) => response.end('an answer')

/** A pool that goes out by this proxy, and trusts the authority of the test. */
function poolBy(t: Test, proxyUrl: string | undefined, more: Partial<PoolOptions> = {}, noProxy = '') {
  const proxy = proxyUrl === undefined ? undefined : parseProxyUrl(proxyUrl)
  const pool = createPool({
    connections: 2,
    connectTimeoutMs: 5000,
    maxResponseBytes: 1024,
    keepAlive: false,
    route: createRoute({ ...(proxy && { proxy }), noProxy, authorities: [authority.pem] }),
    ...more,
  })
  // One test closes its pool itself.
  t.teardown(() => pool.close().catch(() => {}))
  return pool
}

const get = (pool: ReturnType<typeof poolBy>, url = `https://${HOST}/keys`, timeoutMs = 10_000) =>
  call(pool, { method: 'GET', url, timeoutMs })

/** The failure and code of a call that must not succeed. */
async function failure(answer: Promise<unknown>): Promise<{ failure: string; code: string }> {
  const error = await answer.then(
    () => new Error('there was an answer'),
    (error: unknown) => error,
  )
  if (!(error instanceof OutboundError)) throw error
  return { failure: error.failure, code: error.code }
}

t.test('https goes through the proxy, which resolves the name', async (t) => {
  const proxy = await connectProxy(t, tunnelTo(await listen(t, ok, certificate)))
  const pool = poolBy(t, proxy.url)
  t.match(await get(pool), { status: 200, body: 'an answer' })
  t.match(await get(pool, `https://${HOST}:8443/`), { status: 200 })
  t.strictSame(
    proxy.asked.map(({ target, headers }) => [target, headers.host, headers['proxy-authorization']]),
    [
      [`${HOST}:443`, `${HOST}:443`, undefined],
      [`${HOST}:8443`, `${HOST}:8443`, undefined],
    ],
  )
})

t.test('a proxy learns the credentials that its address has, and the host does not', async (t) => {
  let seen: unknown
  const host = await listen(
    t,
    (request, response) => {
      seen = request.headers
      response.end()
    },
    certificate,
  )
  const proxy = await connectProxy(t, tunnelTo(host))
  const pool = poolBy(t, proxy.url.replace('//', '//me:p%40ss%3Aword@'))
  t.equal((await get(pool)).status, 200)
  const [asked] = proxy.asked
  t.equal(asked?.headers['proxy-authorization'], `Basic ${Buffer.from('me:p@ss:word').toString('base64')}`)
  t.notMatch(JSON.stringify(seen), /proxy-authorization/iu)
})

t.test('a proxy that speaks TLS is verified, too', async (t) => {
  const host = await listen(t, ok, certificate)
  const good = await connectProxy(t, tunnelTo(host), certificate)
  t.match(await get(poolBy(t, good.url)), { status: 200, body: 'an answer' })
  const bad = await connectProxy(t, tunnelTo(host), await authority.certify('another.example.test'))
  t.strictSame(await failure(get(poolBy(t, bad.url))), {
    failure: 'proxy',
    code: 'PROXY_ERR_TLS_CERT_ALTNAME_INVALID',
  })
  t.equal(bad.asked.length, 0)
})

t.test('each call has a tunnel of its own, unless connections are kept', async (t) => {
  for (const keepAlive of [false, true]) {
    const proxy = await connectProxy(t, tunnelTo(await listen(t, ok, certificate)))
    const pool = poolBy(t, proxy.url, { connections: 1, keepAlive })
    for (let i = 0; i < 3; i++) t.equal((await get(pool)).status, 200)
    t.equal(proxy.asked.length, keepAlive ? 1 : 3, `keepAlive ${keepAlive}`)
  }
})

t.test('what a proxy can do instead of connecting us', async (t) => {
  const html = '<html>SENTINEL</html>'
  const page = `content-type: text/html\r\ncontent-length: ${html.length}\r\n\r\n${html}`
  const rows: { name: string; does: OnConnect; want: { failure: string; code: string } }[] = [
    ...[302, 400, 403, 407, 500, 502, 504].map((status) => ({
      name: `the status ${status}`,
      does: answerWith(`HTTP/1.1 ${status} No\r\nlocation: https://elsewhere.example.test/\r\n${page}`),
      want: { failure: 'proxy', code: `PROXY_STATUS_${status}` },
    })),
    {
      name: 'an answer that is not HTTP',
      does: answerWith('SSH-2.0-OpenSSH_9.2\r\n'),
      want: { failure: 'proxy', code: 'PROXY_UNKNOWN' },
    },
    {
      name: 'a header without an end',
      does: answerWith(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`),
      want: { failure: 'proxy', code: 'PROXY_UND_ERR_HEADERS_OVERFLOW' },
    },
    {
      name: 'it hangs up',
      does: (client) => client.destroy(),
      want: { failure: 'proxy', code: 'PROXY_UND_ERR_SOCKET' },
    },
    {
      name: 'it connects us and hangs up',
      does: (client) => client.end('HTTP/1.1 200 OK\r\n\r\n'),
      want: { failure: 'network', code: 'ECONNRESET' },
    },
  ]
  for (const { name, does, want } of rows) {
    t.test(name, async (t) => {
      const proxy = await connectProxy(t, does)
      t.strictSame(await failure(get(poolBy(t, proxy.url))), want)
      t.equal(proxy.asked.length, 1, 'it is asked once, and is not stormed')
      await until(() => proxy.open() === 0)
    })
  }
  t.test('nobody listens', async (t) => {
    t.strictSame(await failure(get(poolBy(t, 'http://127.0.0.1:1'))), { failure: 'proxy', code: 'PROXY_ECONNREFUSED' })
  })
})

/** How long silence is waited for: real time, since undici measures it. */
const PATIENCE_MS = 200

t.test('a proxy that says nothing holds a connection no longer than it may', async (t) => {
  let silent = true
  const host = await listen(t, ok, certificate)
  const proxy = await connectProxy(t, (client, request) => {
    if (!silent) tunnelTo(host)(client, request)
  })
  const pool = poolBy(t, proxy.url, { connections: 1, connectTimeoutMs: PATIENCE_MS })
  t.strictSame(await failure(get(pool)), { failure: 'proxy', code: 'PROXY_TIMEOUT' })
  await until(() => proxy.open() === 0)
  silent = false
  t.equal((await get(pool)).status, 200, 'and the next call finds the connection free')
})

t.test('the limit of a call covers the proxy', async (t) => {
  const silent = await connectProxy(t, () => {})
  t.match(await failure(get(poolBy(t, silent.url), undefined, PATIENCE_MS)), { failure: 'timeout' })
})

t.test('a stop does not wait for a proxy that says nothing', async (t) => {
  const silent = await connectProxy(t, () => {})
  const pool = poolBy(t, silent.url, { connectTimeoutMs: 600_000 })
  const answer = failure(get(pool, undefined, 600_000))
  await until(() => silent.asked.length === 1)
  await pool.close()
  t.strictSame(await answer, { failure: 'proxy', code: 'PROXY_UND_ERR_DESTROYED' })
})

t.test('a host that says nothing in the tunnel', async (t) => {
  const silent = await connectProxy(t, answerWith('HTTP/1.1 200 OK\r\n\r\n'))
  t.strictSame(await failure(get(poolBy(t, silent.url, { connectTimeoutMs: PATIENCE_MS }))), {
    failure: 'network',
    code: 'UND_ERR_CONNECT_TIMEOUT',
  })
  await until(() => silent.open() === 0)
})

t.test('a host that says nothing once it is asked', async (t) => {
  const proxy = await connectProxy(t, tunnelTo(await listen(t, () => {}, certificate)))
  // TLS must be through before that: the limit is longer, since this machine may be busy.
  t.match(await failure(get(poolBy(t, proxy.url), undefined, 5 * PATIENCE_MS)), { failure: 'timeout' })
})

t.test('an IPv6 address is asked for in brackets', async (t) => {
  const proxy = await connectProxy(t, answerWith('HTTP/1.1 403 No\r\n\r\n'))
  for (const port of ['', ':8443']) await failure(get(poolBy(t, proxy.url), `https://[2001:db8::1]${port}/`))
  t.strictSame(
    proxy.asked.map(({ target, headers }) => [target, headers.host]),
    ['443', '8443'].map((port) => [`[2001:db8::1]:${port}`, `[2001:db8::1]:${port}`]),
  )
})

t.test('an answer through the proxy has the same cap', async (t) => {
  const large = await listen(t, (_request, response) => response.end('x'.repeat(2000)), certificate)
  const proxy = await connectProxy(t, tunnelTo(large))
  t.match(await failure(get(poolBy(t, proxy.url))), { failure: 'too_large' })
})

t.test('loopback and NO_PROXY are reached without the proxy', async (t) => {
  const proxy = await connectProxy(t, () => {})
  const [plain, secure] = [await listen(t, ok), await listen(t, ok, certificate)]
  const pool = poolBy(t, proxy.url)
  for (const url of [plain, secure]) t.equal((await get(pool, url)).status, 200, url)
  // Nothing answers for this name, and the proxy is not asked.
  t.match(await failure(get(poolBy(t, proxy.url, {}, 'example.test'))), { failure: 'network' })
  t.strictSame([proxy.asked, proxy.others], [[], []])
})

t.test('without EXTRA_CA_FILE only the roots of Node are trusted', async (t) => {
  const url = await listen(t, ok, certificate)
  t.equal((await get(poolBy(t, undefined), url)).status, 200)
  t.match(await failure(get(poolBy(t, undefined, { route: {} }), url)), {
    code: /^(?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/u,
  })
})

t.test('NODE_TLS_REJECT_UNAUTHORIZED turns nothing off', async (t) => {
  const host = await listen(t, ok, certificate)
  const stranger = await createAuthority('a stranger')
  const swapped = await listen(t, ok, await stranger.certify(HOST, '127.0.0.1'))
  const proxy = await connectProxy(t, tunnelTo(swapped))
  t.teardown(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.match(await failure(get(poolBy(t, undefined, { route: {} }), host)), { failure: 'network' })
  t.match(await failure(get(poolBy(t, proxy.url))), { failure: 'network' })
})
