import t, { type Test } from 'tap'
import { createRoute } from '../../src/lib/outbound.ts'
import { parseProxyUrl } from '../../src/lib/proxy.ts'
import { createJdcloudSts } from '../../src/sts/jdcloud.ts'
import { build } from '../helpers/build.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { answerWith, connectProxy, type OnConnect, tunnelTo } from '../helpers/connect-proxy.ts'
import { listen } from '../helpers/listen.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'
import { ask, GRANT, options, SUCCESS } from '../sts/harness.ts'

const HOST = 'sts.example.test'
const authority = await createAuthority()
const stranger = await createAuthority('a stranger')

const forged = JSON.stringify(SUCCESS)
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${forged.length}\r\n\r\n${forged}`

const POST = { method: 'POST', url: '/v1/credentials', payload: { policy: 'user-upload' } } as const

/** What an AssumeRole becomes whose way out is a proxy that does this. */
async function askBy(t: Test, does: OnConnect) {
  const proxy = await connectProxy(t, does)
  const parsed = parseProxyUrl(proxy.url)
  if (!parsed) throw new Error('no address of a proxy')
  const route = createRoute({ proxy: parsed, noProxy: '', authorities: [authority.pem] })
  const sts = createJdcloudSts({ ...options(`https://${HOST}`), route })
  t.teardown(() => sts.close())
  const error: unknown = await sts.assumeRole(GRANT).then(
    () => 'credentials',
    (error: unknown) => error,
  )
  return { proxy, error }
}

t.test('a proxy cannot answer in the place of STS', async (t) => {
  const rows: { name: string; does: OnConnect }[] = [
    { name: 'behind its own answer', does: answerWith(`HTTP/1.1 200 OK\r\n\r\n${answer}`) },
    { name: 'as the body of its own answer', does: answerWith(answer) },
    { name: 'as its chunked body', does: answerWith(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${answer}`) },
    { name: 'as two answers', does: answerWith(answer, answer) },
    { name: 'behind a refusal', does: answerWith(`HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n${answer}`) },
    { name: 'behind a 100', does: answerWith(`HTTP/1.1 100 Continue\r\n\r\n${answer}`) },
    {
      name: 'once TLS has begun',
      does: (client) => {
        client.once('data', () => client.write(answer))
        client.write('HTTP/1.1 200 OK\r\n\r\n')
      },
    },
  ]
  for (const { name, does } of rows) {
    t.test(name, async (t) => t.match((await askBy(t, does)).error, { code: 'upstream_unavailable' }))
  }
})

t.test('a proxy that swaps the certificate learns nothing', async (t) => {
  const rows = [
    { name: 'for one of another authority', certificate: await stranger.certify(HOST) },
    { name: 'for one of another host', certificate: await authority.certify('another.example.test') },
  ]
  for (const { name, certificate } of rows) {
    t.test(name, async (t) => {
      let requests = 0
      const impostor = await listen(
        t,
        (_request, response) => {
          requests++
          response.end(forged)
        },
        certificate,
      )
      const { proxy, error } = await askBy(t, tunnelTo(impostor))
      t.match(error, { code: 'upstream_unavailable' })
      t.equal(requests, 0)
      t.equal(proxy.asked.length, 1, 'and is asked once')
    })
  }
})

t.test('a redirect of the proxy is not followed', async (t) => {
  let requests = 0
  const elsewhere = await listen(t, (_request, response) => {
    requests++
    response.end(forged)
  })
  const { error } = await askBy(
    t,
    answerWith(`HTTP/1.1 302 Found\r\nlocation: ${elsewhere}/\r\ncontent-length: 0\r\n\r\n`),
  )
  t.match(error, { code: 'upstream_unavailable', log: { upstream: { reason: 'PROXY_STATUS_302' } } })
  t.equal(requests, 0)
})

t.test('a proxy that never ends its answer is cut off', async (t) => {
  const flood =
    (chunk: string): OnConnect =>
    (client) => {
      client.write('HTTP/1.1 200 OK\r\n')
      const more = () => {
        while (!client.destroyed && client.write(chunk));
      }
      client.on('drain', more)
      more()
    }
  for (const chunk of [`x: ${'x'.repeat(1000)}\r\n`, 'x: y\r\n', 'x'.repeat(1000)]) {
    const { proxy, error } = await askBy(t, flood(chunk))
    t.match(error, { code: 'upstream_unavailable', log: { upstream: { reason: /^PROXY_/u } } })
    await until(() => proxy.open() === 0)
  }
})

t.test("the proxy's password is nowhere but on the way to the proxy", async (t) => {
  const password = 'SENTINEL-proxy-password'
  const encoded = Buffer.from(`me:${password}`).toString('base64')
  const dir = t.testdir({ 'ca.pem': authority.pem })
  let seen = ''
  const host = await listen(
    t,
    (request, response) => {
      seen += JSON.stringify(request.headers)
      response.writeHead(403).end('{}')
    },
    await authority.certify(HOST),
  )
  let does: OnConnect = tunnelTo(host)
  const proxy = await connectProxy(t, (client, request) => does(client, request))
  const { app, logs } = await build(t, {
    env: {
      HTTPS_PROXY: proxy.url.replace('//', `//me:${password}@`),
      EXTRA_CA_FILE: `${dir}/ca.pem`,
      JDCLOUD_STS_ENDPOINT: `https://${HOST}`,
    },
    realSts: true,
  })
  const vend = (sub: string) => app.inject({ ...POST, headers: { authorization: `Bearer ${mint(claims({ sub }))}` } })
  const denied = await vend('alice')
  t.equal(denied.json().code, 'upstream_denied')
  does = answerWith(`HTTP/1.1 407 ${password}\r\nproxy-authenticate: Basic realm="${encoded}"\r\n\r\n${password}`)
  const refused = await vend('bob')
  t.equal(refused.json().code, 'upstream_unavailable')
  t.match(logs.text(), /"upstream":\{"reason":"PROXY_STATUS_407"\}/u, 'the log names the status of the proxy')
  t.equal(proxy.asked[0]?.headers['proxy-authorization'], `Basic ${encoded}`, 'the proxy has it')
  const everything = [
    logs.text(),
    seen,
    ...[denied, refused].map(({ body, headers }) => body + JSON.stringify(headers)),
  ].join('\n')
  for (const secret of [password, encoded]) t.notOk(everything.includes(secret), 'nobody else has it')
})

t.test('a proxy never sees what goes to loopback', async (t) => {
  const proxy = await connectProxy(t, () => {})
  const endpoint = await listen(t, (_request, response) => response.writeHead(403).end('{}'))
  const { app, logs } = await build(t, {
    env: { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, JDCLOUD_STS_ENDPOINT: endpoint },
    realSts: true,
  })
  const response = await app.inject({ ...POST, headers: { authorization: `Bearer ${mint(claims())}` } })
  t.equal(response.json().code, 'upstream_denied')
  t.strictSame([proxy.asked, proxy.others], [[], []])
  t.match(
    logs.lines().find(({ level }) => level === 40),
    { msg: /^a proxy is set and nothing goes through it/u, direct: [new URL(endpoint).host] },
  )
})

t.test('the environment has no other way in', async (t) => {
  const proxy = await connectProxy(t, () => {})
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy', 'ALL_PROXY']) {
    t.teardown(() => delete process.env[name])
    process.env[name] = proxy.url
  }
  t.match(await ask(t, 'https://sts.invalid'), { code: 'upstream_unavailable' })
  t.strictSame([proxy.asked, proxy.others], [[], []])
})
