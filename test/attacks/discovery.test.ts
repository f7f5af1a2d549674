import t from 'tap'
import { MockAgent } from 'undici'
import { createRemoteKeySet } from '../../src/identity/remote-keys.ts'
import { jwk } from '../helpers/key-servers.ts'

const LOGIN = 'https://login.example.test'
const LOCAL = 'http://127.0.0.1:8080'
const PATH = '/.well-known/openid-configuration'

/** What comes of it when this issuer names this address. Nothing else can be reached. */
async function discovered(issuer: string, address: unknown, origins: readonly string[] = []): Promise<string> {
  let visits = 0
  const agent = new MockAgent()
  agent.disableNetConnect()
  agent.get(new URL(issuer).origin).intercept({ path: PATH }).reply(200, { issuer, jwks_uri: address })
  if (typeof address === 'string' && URL.canParse(address) && /^https?:/u.test(address)) {
    const { origin: elsewhere, pathname, search } = new URL(address)
    agent
      .get(elsewhere)
      .intercept({ path: pathname + search })
      .reply(200, () => {
        visits++
        return { keys: [jwk('a')] }
      })
  }
  const results: string[] = []
  const origin = {
    kind: 'discovery',
    issuer,
    origins,
    maxAgeSeconds: 3600,
    timeoutMs: 2000,
    maxBytes: 262_144,
  } as const
  const keySet = createRemoteKeySet(origin, {
    pool: { dispatcher: agent, close: () => agent.close() },
    sandbox: false,
    onFetch: ({ result }) => results.push(result),
  })
  await keySet.refresh()
  await agent.close()
  return `${results.join()}, ${visits} visits`
}

const TAKEN = 'ok, 1 visits'
const REFUSED = 'address_refused, 0 visits'

t.test('an issuer cannot send the service where only the service can go', async (t) => {
  const rows: { name: string; input: string; want: string; issuer?: string; origins?: string[] }[] = [
    { name: 'its own host', input: `${LOGIN}/jwks`, want: TAKEN },
    { name: 'its own host, with a query', input: `${LOGIN}/jwks?tenant=1`, want: TAKEN },
    { name: 'its own host, with its port', input: `${LOGIN}:443/jwks`, want: TAKEN },
    { name: 'its own host, in capitals', input: 'https://LOGIN.example.test/jwks', want: TAKEN },
    { name: 'a host under its own', input: 'https://keys.login.example.test/jwks', want: TAKEN },
    { name: 'loopback, plain', input: 'http://127.0.0.1/jwks', want: REFUSED },
    { name: 'loopback, plain, with a port', input: 'http://127.0.0.1:9090/jwks', want: REFUSED },
    { name: 'loopback, by TLS', input: 'https://127.0.0.1/jwks', want: REFUSED },
    { name: 'loopback, written short', input: 'http://127.1/jwks', want: REFUSED },
    { name: 'loopback, as a number', input: 'http://2130706433/jwks', want: REFUSED },
    { name: 'loopback, in hexadecimal', input: 'https://0x7f000001/jwks', want: REFUSED },
    { name: 'loopback, IPv6', input: 'http://[::1]/jwks', want: REFUSED },
    { name: 'loopback, mapped into IPv6', input: 'https://[::ffff:127.0.0.1]/jwks', want: REFUSED },
    { name: 'localhost', input: 'http://localhost/jwks', want: REFUSED },
    { name: 'any address', input: 'https://0.0.0.0/jwks', want: REFUSED },
    { name: 'the metadata service', input: 'http://169.254.169.254/latest/meta-data', want: REFUSED },
    { name: 'the metadata service, by TLS', input: 'https://169.254.169.254/latest/meta-data', want: REFUSED },
    { name: 'the metadata service, IPv6', input: 'https://[fd00:ec2::254]/latest', want: REFUSED },
    { name: 'the metadata service, by name', input: 'https://metadata.google.internal/', want: REFUSED },
    { name: 'link-local', input: 'https://[fe80::1]/jwks', want: REFUSED },
    { name: 'a private network', input: 'https://10.0.0.1/jwks', want: REFUSED },
    { name: 'a name of the cluster', input: 'https://vault.default.svc/jwks', want: REFUSED },
    { name: 'a name without a dot', input: 'https://vault/jwks', want: REFUSED },
    { name: 'its own host, plain', input: 'http://login.example.test/jwks', want: REFUSED },
    { name: 'its own host, at another port', input: `${LOGIN}:8443/jwks`, want: REFUSED },
    { name: 'a host under its own, at another port', input: 'https://keys.login.example.test:6443/', want: REFUSED },
    { name: 'a sibling', input: 'https://keys.example.test/jwks', want: REFUSED },
    { name: 'its parent', input: 'https://example.test/jwks', want: REFUSED },
    { name: 'a name that ends like it', input: 'https://evil-login.example.test/jwks', want: REFUSED },
    { name: 'a name that begins like it', input: `${LOGIN}.evil.test/jwks`, want: REFUSED },
    { name: 'with a dot behind', input: `${LOGIN}./jwks`, want: REFUSED },
    { name: 'with a user', input: 'https://user@login.example.test/jwks', want: REFUSED },
    { name: 'as a user', input: `${LOGIN}@evil.test/jwks`, want: REFUSED },
    { name: 'behind a backslash', input: 'https://evil.test\\@login.example.test/jwks', want: REFUSED },
    { name: 'with a fragment', input: `${LOGIN}/jwks#a`, want: REFUSED },
    { name: 'a path', input: '/jwks', want: REFUSED },
    { name: 'without a scheme', input: '//login.example.test/jwks', want: REFUSED },
    { name: 'a file', input: 'file:///etc/passwd', want: REFUSED },
    { name: 'data', input: 'data:application/json,{"keys":[]}', want: REFUSED },
    {
      name: 'a neighbour under a public suffix',
      issuer: 'https://example.co.uk',
      input: 'https://evil.co.uk/',
      want: REFUSED,
    },
    { name: 'listed', input: 'https://keys.test/jwks', origins: ['https://keys.test'], want: TAKEN },
    {
      name: 'listed, at another port',
      input: 'https://keys.test:8443/',
      origins: ['https://keys.test'],
      want: REFUSED,
    },
    { name: 'listed, plain', input: 'http://keys.test/jwks', origins: ['https://keys.test'], want: REFUSED },
    { name: 'under a listed one', input: 'https://a.keys.test/', origins: ['https://keys.test'], want: REFUSED },
    { name: 'listed, with a user', input: 'https://u:p@keys.test/', origins: ['https://keys.test'], want: REFUSED },
    { name: 'listed loopback', input: 'http://127.0.0.1:9090/', origins: ['http://127.0.0.1:9090'], want: TAKEN },
    { name: 'of a loopback issuer, its own', issuer: LOCAL, input: `${LOCAL}/jwks`, want: TAKEN },
    { name: 'of a loopback issuer, at another port', issuer: LOCAL, input: 'http://127.0.0.1:9090/', want: REFUSED },
    { name: 'of a loopback issuer, elsewhere', issuer: LOCAL, input: 'http://keys.test/', want: REFUSED },
    { name: 'of an issuer by address, another', issuer: 'https://10.0.0.1', input: 'https://10.0.0.2/', want: REFUSED },
  ]
  for (const { name, input, want, issuer = LOGIN, origins } of rows) {
    t.test(name, async (t) => t.equal(await discovered(issuer, input, origins), want))
  }
})

t.test('a discovery document that is none leads nowhere', async (t) => {
  const rows: { name: string; input: unknown }[] = [
    { name: 'no address', input: undefined },
    { name: 'null', input: null },
    { name: 'a list', input: [`${LOGIN}/jwks`] },
    { name: 'an object', input: { href: `${LOGIN}/jwks` } },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => t.match(await discovered(LOGIN, input), /^no_jwks_uri/u))
  }
})
