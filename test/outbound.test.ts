import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { build } from './helpers/build.ts'
import { createAuthority } from './helpers/certificates.ts'
import { connectProxy, tunnelTo } from './helpers/connect-proxy.ts'
import { jwk } from './helpers/key-servers.ts'
import { listen } from './helpers/listen.ts'
import { claims, keys, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'

const STS = 'sts.example.test'
const ISSUER = 'login.example.test'
const KEYS = 'keys.login.example.test'
const authority = await createAuthority()
const certificate = await authority.certify(STS, ISSUER, KEYS)

/** STS and an OpenID provider on one port: a proxy leads every name to it. */
const everything: RequestListener = (request, response) => {
  const json = (body: unknown) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  if (request.url === '/.well-known/openid-configuration') {
    json({ issuer: `https://${ISSUER}`, jwks_uri: `https://${KEYS}/jwks` })
  } else if (request.url === '/jwks') {
    json({ keys: [jwk('a')] })
  } else {
    const expiration = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
    json({ result: { credentials: { accessKey: 'ak', secretKey: 'sk', sessionToken: 'st', expiration } } })
  }
}

/** The service with no way out but a proxy. */
async function behindProxy(t: Test, env: Record<string, string> = {}) {
  const proxy = await connectProxy(t, tunnelTo(await listen(t, everything, certificate)))
  const dir = t.testdir({ 'ca.pem': authority.pem })
  const service = await build(t, {
    env: {
      HTTPS_PROXY: proxy.url,
      EXTRA_CA_FILE: `${dir}/ca.pem`,
      JDCLOUD_STS_ENDPOINT: `https://${STS}`,
      JWT_ISSUER: `https://${ISSUER}`,
      JWT_SECRET: '',
      ...env,
    },
    realSts: true,
  })
  await service.app.ready()
  return { ...service, proxy }
}

t.test('STS, discovery and key servers are reached through the proxy', async (t) => {
  const { app, proxy, logs } = await behindProxy(t)
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
  const token = mint(claims({ iss: `https://${ISSUER}` }), { alg: 'RS256', kid: 'a' }, keys.rsa.privateKey)
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers: { authorization: `Bearer ${token}` },
    payload: { policy: 'user-upload' },
  })
  t.equal(response.statusCode, 200, response.body)
  t.strictSame([...new Set(proxy.asked.map(({ target }) => target))], [`${ISSUER}:443`, `${KEYS}:443`, `${STS}:443`])
  t.match(
    logs.lines().find(({ msg }) => msg === 'outbound connections use the proxy'),
    { level: 30, proxy: proxy.url, proxied: [STS, ISSUER], direct: [] },
  )
})

t.test('without EXTRA_CA_FILE, no key is believed', async (t) => {
  const { app, proxy, logs } = await behindProxy(t, { EXTRA_CA_FILE: '' })
  await until(() => logs.lines().some(({ result }) => result === 'network'))
  t.equal((await app.inject('/readyz')).statusCode, 503)
  t.ok(proxy.asked.length > 0)
})

t.test('a proxy that nothing goes through is warned of', async (t) => {
  const rows = [
    { name: 'NO_PROXY has all', env: { NO_PROXY: '*' } },
    { name: 'NO_PROXY has each', env: { NO_PROXY: 'example.test' } },
  ]
  for (const { name, env } of rows) {
    t.test(name, async (t) => {
      const { logs, proxy } = await behindProxy(t, env)
      const told = logs.lines().filter(({ msg }) => /proxy/u.test(String(msg)))
      t.match(told, [{ level: 40, proxy: proxy.url, proxied: [], direct: [STS, ISSUER] }])
      t.equal(proxy.asked.length, 0)
    })
  }
  t.test('in part is told', async (t) => {
    const { logs } = await behindProxy(t, { NO_PROXY: ISSUER })
    const told = logs.lines().filter(({ msg }) => /proxy/u.test(String(msg)))
    t.match(told, [{ level: 30, proxied: [STS], direct: [ISSUER] }])
  })
})

t.test('without a proxy nothing is told', async (t) => {
  const { app, logs } = await build(t)
  await app.ready()
  t.notMatch(logs.text(), /proxy/u)
})
