import fc from 'fast-check'
import t from 'tap'
import { Client, EnvHttpProxyAgent, request } from 'undici'
import { parseProxyUrl, proxyRules } from '../../src/lib/proxy.ts'

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`

t.test('addresses of proxies', async (t) => {
  const origin = 'http://proxy.test:3128'
  const rows: { text: string; want: unknown }[] = [
    { text: 'http://proxy.test:3128', want: { origin } },
    { text: 'http://proxy.test:3128/', want: { origin } },
    { text: 'HTTP://Proxy.Test:3128', want: { origin } },
    { text: 'http://proxy.test', want: { origin: 'http://proxy.test' } },
    { text: 'https://proxy.test', want: { origin: 'https://proxy.test' } },
    { text: 'http://[2001:db8::1]:3128', want: { origin: 'http://[2001:db8::1]:3128' } },
    { text: 'http://me:word@proxy.test:3128', want: { origin, authorization: basic('me:word') } },
    { text: 'http://me:p%40%3A%2F%23@proxy.test:3128', want: { origin, authorization: basic('me:p@:/#') } },
    { text: 'http://me:ü@proxy.test:3128', want: { origin, authorization: basic('me:ü') } },
    { text: 'http://me@proxy.test:3128', want: { origin, authorization: basic('me:') } },
    { text: 'http://:word@proxy.test:3128', want: { origin, authorization: basic(':word') } },
    ...[
      '',
      'proxy.test:3128',
      '//proxy.test:3128',
      'http:proxy.test',
      'socks5://proxy.test:1080',
      'ftp://proxy.test',
      'http://proxy.test:99999',
      'http://proxy.test:3128/path',
      'http://proxy.test:3128/?a=b',
      'http://proxy.test:3128/#a',
      'http://',
      'http://a b',
      'http://me:wo#rd@proxy.test:3128',
      'http://me:wo/rd@proxy.test:3128',
      'http://me:%zz@proxy.test:3128',
      'http://a%3Ab:word@proxy.test:3128',
      'http://me:a%0d%0ax-header:%20b@proxy.test:3128',
    ].map((text) => ({ text, want: undefined })),
  ]
  for (const { text, want } of rows) t.strictSame(parseProxyUrl(text), want, text)
})

const rows = [
  { noProxy: '', url: 'https://sts.test', want: true },
  { noProxy: 'other.test', url: 'https://sts.test', want: true },
  { noProxy: '*', url: 'https://sts.test', want: false },
  { noProxy: '*,other.test', url: 'https://sts.test', want: true },
  { noProxy: 'sts.test', url: 'https://sts.test', want: false },
  { noProxy: 'STS.Test', url: 'https://sts.test', want: false },
  { noProxy: 'test', url: 'https://sts.test', want: false },
  { noProxy: 's.test', url: 'https://sts.test', want: true },
  { noProxy: '.sts.test', url: 'https://sts.test', want: false },
  { noProxy: '*.sts.test', url: 'https://a.sts.test', want: false },
  { noProxy: '*.sts.test', url: 'https://sts.test', want: false },
  { noProxy: 'a.*.test', url: 'https://a.sts.test', want: true },
  { noProxy: 'other.test, sts.test', url: 'https://sts.test', want: false },
  { noProxy: 'other.test sts.test', url: 'https://sts.test', want: false },
  { noProxy: ',,', url: 'https://sts.test', want: true },
  { noProxy: 'sts.test:443', url: 'https://sts.test', want: false },
  { noProxy: 'sts.test:443', url: 'https://sts.test:8443', want: true },
  { noProxy: 'sts.test:8443', url: 'https://a.sts.test:8443', want: false },
  { noProxy: '10.0.0.1', url: 'https://10.0.0.1', want: false },
  { noProxy: '10.0.0.0/8', url: 'https://10.0.0.1', want: true },
  { noProxy: '0.0.1', url: 'https://10.0.0.1', want: false },
  { noProxy: '[2001:db8::1]', url: 'https://[2001:db8::1]', want: false },
  { noProxy: '2001:db8::1', url: 'https://[2001:db8::1]', want: true },
]

t.test('NO_PROXY', async (t) => {
  for (const { noProxy, url, want } of rows) {
    t.test(`${noProxy} and ${url}`, async (t) => {
      t.equal(proxyRules(noProxy)(new URL(url)), want)
      t.equal(await undiciUsesProxy(noProxy, url), want, 'as undici says')
    })
  }
})

t.test('any NO_PROXY means what it means to undici', async () => {
  const label = fc.constantFrom('a', 'b', 'test', 'example')
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const port = fc.constantFrom('', ':443', ':8443')
  const entry = fc.tuple(fc.constantFrom('', '.', '*.', '*'), host, port).map((parts) => parts.join(''))
  const list = fc
    .tuple(fc.array(entry, { maxLength: 3 }), fc.constantFrom(',', ', ', ' '))
    .map(([all, by]) => all.join(by))
  await fc.assert(
    fc.asyncProperty(list, host, port, async (noProxy, name, port) => {
      const url = `https://x.${name}${port}`
      return proxyRules(noProxy)(new URL(url)) === (await undiciUsesProxy(noProxy, url))
    }),
    { numRuns: 200 },
  )
})

t.test('plain http and loopback never go through the proxy', async (t) => {
  const urls = ['http://sts.test', 'http://127.0.0.1:4501', 'https://localhost', 'https://127.1.2.3', 'https://[::1]:1']
  for (const url of urls) t.equal(proxyRules('')(new URL(url)), false, url)
})

/** Whether undici's own agent sends this through the proxy. Nothing is sent: neither way leads anywhere. */
async function undiciUsesProxy(noProxy: string, url: string): Promise<boolean> {
  let proxied = false
  const stop = (_options: unknown, callback: (error: Error, socket: null) => void) => callback(new Error('stop'), null)
  const agent = new EnvHttpProxyAgent({
    httpProxy: '',
    httpsProxy: 'http://proxy.test:3128',
    noProxy,
    connect: stop,
    clientFactory: (origin) => {
      const client = new Client(origin, {
        connect: (_options, callback) => {
          proxied = true
          callback(new Error('stop'), null)
        },
      })
      return client
    },
  })
  await request(url, { dispatcher: agent }).catch(() => {})
  await agent.destroy()
  return proxied
}
