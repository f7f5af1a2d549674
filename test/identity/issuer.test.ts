import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import { SANDBOX_ISSUER } from '../../sandbox/issuer.ts'
import { readConfig } from '../../src/config/config.ts'
import { environment } from '../helpers/build.ts'
import { faultLines } from '../helpers/config-faults.ts'
import { keys, pem } from '../helpers/tokens.ts'

const KEY = { JWT_SECRET: '' }
const HTTP = 'must not use plain http, except to loopback'
const CREDENTIALS = 'must not carry credentials or a fragment'
const publicKeyOf = (key: { publicKey: KeyObject }) => ({ ...KEY, JWT_PUBLIC_KEY: pem(key.publicKey) })

/** A fixture of so many bytes. */
const secret = (bytes: number) => 'Fx7/pLq2ZrT9vKd4Wn+XsB6mYcJ1hGeU8aRoN3iQw5MzPfC0tHyEkSjVgDbAuOlI'.slice(0, bytes)
const GUESSABLE =
  'JWT_SECRET: must not be easy to guess, as words, repeats, sequences, dates and published examples are'

t.test('an HMAC secret has at least as many bytes as its hash, but in a sandbox', async (t) => {
  const rule = (bytes: number, algorithms: string) =>
    `JWT_SECRET: an HMAC secret must have at least ${bytes} bytes for ${algorithms}`
  const rows = [
    { name: 'default', secret: secret(31), want: [rule(32, 'HS256')] },
    { name: 'HS256', algorithms: 'HS256', secret: secret(31), want: [rule(32, 'HS256')] },
    { name: 'HS256, enough', algorithms: 'HS256', secret: secret(32), want: [] },
    { name: 'HS384', algorithms: 'HS384', secret: secret(47), want: [rule(48, 'HS384')] },
    { name: 'HS384, enough', algorithms: 'HS384', secret: secret(48), want: [] },
    { name: 'HS512', algorithms: 'HS512', secret: secret(63), want: [rule(64, 'HS512')] },
    { name: 'HS512, enough', algorithms: 'HS512', secret: secret(64), want: [] },
    { name: 'the longest counts', algorithms: 'HS256,HS512', secret: secret(63), want: [rule(64, 'HS256, HS512')] },
    { name: 'bytes, not characters', secret: 'éßüöñðøæžřŵġķłţħ', want: [] },
    {
      name: 'a few characters repeated',
      secret: 'abcdefg'.repeat(8),
      want: [GUESSABLE],
    },
    {
      name: "the sandbox's",
      secret: SANDBOX_ISSUER.secret,
      want: ["JWT_SECRET: must not be the sandbox's, which is published"],
    },
  ]
  for (const { name, secret, algorithms = '', want } of rows) {
    t.test(name, async (t) => {
      t.strictSame(faultLines({ JWT_SECRET: secret, JWT_ALGORITHMS: algorithms }), want)
      t.strictSame(faultLines({ JWT_SECRET: secret, JWT_ALGORITHMS: algorithms }, { sandbox: true }), [])
    })
  }
})

t.test('plain http is for loopback, but in a sandbox', async (t) => {
  const variables: Record<string, (address: string) => Record<string, string>> = {
    JDCLOUD_STS_ENDPOINT: (address) => ({ JDCLOUD_STS_ENDPOINT: address }),
    OSS_ENDPOINT: (address) => ({ OSS_ENDPOINT: address }),
    JWT_JWKS_URL: (address) => ({ ...KEY, JWT_JWKS_URL: address }),
    JWT_ISSUER: (address) => ({ ...KEY, JWT_ISSUER: address }),
  }
  const loopback = ['http://localhost', 'http://127.0.0.1:8080', 'http://127.255.0.9', 'http://127.1', 'http://[::1]:1']
  const elsewhere = [
    'http://keys.test',
    'http://127.0.0.1.evil.test',
    'http://localhost.evil.test',
    'http://localhost.',
    'http://evil-localhost',
    'http://0.0.0.0',
    'http://10.0.0.1',
    'http://128.0.0.1',
    'http://[::ffff:127.0.0.1]',
    'http://[::2]',
    'HTTP://KEYS.TEST',
  ]
  for (const [variable, env] of Object.entries(variables)) {
    for (const address of [...loopback, 'https://keys.test', 'HTTPS://keys.test:8443']) {
      t.test(`${variable}=${address} is good`, async (t) => t.strictSame(faultLines(env(address)), []))
    }
    for (const address of elsewhere) {
      t.test(`${variable}=${address}`, async (t) => {
        t.strictSame(faultLines(env(address)), [`${variable}: ${HTTP}`])
        t.strictSame(faultLines(env(address), { sandbox: true }), [])
      })
    }
  }
})

t.test('addresses that nothing makes good', async (t) => {
  const rows = [
    { address: 'keys.test', want: ['must be an absolute URL'] },
    { address: '//keys.test', want: ['must be an absolute URL'] },
    { address: '/jwks', want: ['must be an absolute URL'] },
    { address: 'https://', want: ['must be an absolute URL'] },
    { address: 'file:///etc/passwd', want: ['must be an https URL'] },
    { address: 'ftp://keys.test/', want: ['must be an https URL'] },
    { address: 'data:application/json,{}', want: ['must be an https URL'] },
    { address: 'https://user@keys.test', want: [CREDENTIALS] },
    { address: 'https://:password@keys.test', want: [CREDENTIALS] },
    { address: 'https://keys.test/jwks?appid=1', want: [] },
    { address: 'https://keys.test/#a', want: [CREDENTIALS] },
    { address: 'http://127.0.0.1@keys.test', want: [HTTP, CREDENTIALS], weak: HTTP },
    { address: 'http://keys.test/#@127.0.0.1', want: [HTTP, CREDENTIALS], weak: HTTP },
    { address: 'http://keys.test/?http://localhost', want: [HTTP], weak: HTTP },
  ]
  for (const { address, want, weak } of rows) {
    t.test(address, async (t) => {
      const env = { ...KEY, JWT_JWKS_URL: address }
      const lines = (rules: readonly string[]) => rules.map((rule) => `JWT_JWKS_URL: ${rule}`)
      t.strictSame(faultLines(env), lines(want))
      t.strictSame(faultLines(env, { sandbox: true }), lines(want.filter((rule) => rule !== weak)))
    })
  }
  t.test('an STS endpoint with a path, which would be dropped', async (t) => {
    const env = { JDCLOUD_STS_ENDPOINT: 'https://gateway.test/sts' }
    t.strictSame(faultLines(env), ['JDCLOUD_STS_ENDPOINT: must not have a path'])
  })
})

t.test('any web page as the caller is for a sandbox', async (t) => {
  const want = ['CORS_ORIGINS: must not contain *']
  for (const value of ['*', 'https://app.test,*', ' * ', 'https://app.test , * ']) {
    t.strictSame(faultLines({ CORS_ORIGINS: value }), want, value)
    t.strictSame(faultLines({ CORS_ORIGINS: value }, { sandbox: true }), [], value)
  }
})

t.test('a key that cannot be trusted is refused, in a sandbox too', async (t) => {
  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const rsa2047 = generateKeyPairSync('rsa', { modulusLength: 2047 })
  const pss1024 = generateKeyPairSync('rsa-pss', { modulusLength: 1024 })
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const x25519 = generateKeyPairSync('x25519')
  const pkcs8 = String(keys.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const pkcs1 = String(keys.rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }))
  const encrypted = String(
    keys.rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'fixture' }),
  )
  const spki = pem(keys.rsa.publicKey)
  const short = ['JWT_PUBLIC_KEY: an RSA key must have at least 2048 bits']
  const notOne = ['JWT_PUBLIC_KEY: must be a PEM public key']
  const misfit = ['JWT_PUBLIC_KEY: the algorithms must fit the key, and none does']
  const rows = [
    { name: 'RSA of 1024 bits', key: pem(rsa1024.publicKey), want: short },
    { name: 'RSA of 2047 bits', key: pem(rsa2047.publicKey), want: short },
    { name: 'RSA-PSS of 1024 bits', key: pem(pss1024.publicKey), want: short },
    { name: 'private key', key: pkcs8, want: notOne },
    { name: 'private key, PKCS #1', key: pkcs1, want: notOne },
    { name: 'private key, encrypted', key: encrypted, want: notOne },
    {
      name: 'private key of a curve',
      key: String(keys.p256.privateKey.export({ type: 'sec1', format: 'pem' })),
      want: notOne,
    },
    { name: 'private key behind a public one', key: spki + pkcs8, want: notOne },
    {
      name: 'nonsense between the lines',
      key: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      want: notOne,
    },
    { name: 'no lines', key: spki.split('\n').slice(1, -2).join(''), want: notOne },
    { name: 'JWK', key: JSON.stringify(keys.rsa.publicKey.export({ format: 'jwk' })), want: notOne },
    { name: 'OpenSSH', key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFIXTURE', want: notOne },
    { name: 'secp256k1', key: pem(secp256k1.publicKey), want: misfit },
    { name: 'X25519', key: pem(x25519.publicKey), want: misfit },
  ]
  for (const { name, key, want } of rows) {
    t.test(name, async (t) => {
      t.strictSame(faultLines({ ...KEY, JWT_PUBLIC_KEY: key }), want)
      t.strictSame(faultLines({ ...KEY, JWT_PUBLIC_KEY: key }, { sandbox: true }), want)
    })
  }
})

t.test('algorithms fit the key, in a sandbox too', async (t) => {
  const misfit = (variable: string, algorithms: string) => [
    `${variable}: the algorithms must fit the key, and ${algorithms} does not`,
  ]
  const rsaPss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  const jwks = { ...KEY, JWT_JWKS_URL: 'https://keys.test' }
  const rows = [
    { name: 'RS256 with a secret', env: {}, alg: 'HS256,RS256', want: misfit('JWT_SECRET', 'RS256') },
    {
      name: 'HS256 with an RSA key',
      env: publicKeyOf(keys.rsa),
      alg: 'RS256,HS256',
      want: misfit('JWT_PUBLIC_KEY', 'HS256'),
    },
    { name: 'ES256 with P-384', env: publicKeyOf(keys.p384), alg: 'ES256', want: misfit('JWT_PUBLIC_KEY', 'ES256') },
    { name: 'RS256 with RSA-PSS', env: publicKeyOf(rsaPss), alg: 'RS256', want: misfit('JWT_PUBLIC_KEY', 'RS256') },
    { name: 'EdDSA with P-256', env: publicKeyOf(keys.p256), alg: 'EdDSA', want: misfit('JWT_PUBLIC_KEY', 'EdDSA') },
    { name: 'HS256 with a key set', env: jwks, alg: 'HS256', want: misfit('JWT_JWKS_URL', 'HS256') },
    { name: 'HS512 with discovery', env: KEY, alg: 'RS256,HS512', want: misfit('JWT_ISSUER', 'HS512') },
  ]
  for (const { name, env, alg, want } of rows) {
    t.test(name, async (t) => {
      t.strictSame(faultLines({ ...env, JWT_ALGORITHMS: alg }), want)
      t.strictSame(faultLines({ ...env, JWT_ALGORITHMS: alg }, { sandbox: true }), want)
    })
  }
})

t.test('the algorithms that are pinned when none are named', async (t) => {
  const rows = [
    { name: 'secret', env: {}, want: ['HS256'] },
    { name: 'RSA', env: publicKeyOf(keys.rsa), want: ['RS256'] },
    { name: 'P-256', env: publicKeyOf(keys.p256), want: ['ES256'] },
    { name: 'P-384', env: publicKeyOf(keys.p384), want: ['ES384'] },
    { name: 'P-521', env: publicKeyOf(keys.p521), want: ['ES512'] },
    { name: 'Ed25519', env: publicKeyOf(keys.ed25519), want: ['EdDSA'] },
    { name: 'key set', env: { ...KEY, JWT_JWKS_URL: 'https://keys.test' }, want: ['RS256', 'ES256'] },
    { name: 'discovery', env: KEY, want: ['RS256', 'ES256'] },
  ]
  for (const { name, env, want } of rows) {
    t.test(name, async (t) => {
      const [issuer] = readConfig({ ...environment, ...env }).issuers
      t.strictSame(
        issuer?.keys.flatMap(({ algorithms }) => algorithms),
        want,
      )
    })
  }
})

t.test('a literal \\n is a line break of a public key', async (t) => {
  const env = { ...KEY, JWT_PUBLIC_KEY: pem(keys.rsa.publicKey).replaceAll('\n', '\\n') }
  const [issuer] = readConfig({ ...environment, ...env }).issuers
  t.strictSame(issuer?.keys[0]?.origin, { kind: 'public-key', pem: pem(keys.rsa.publicKey) })
})

t.test('one source of public keys, and a secret beside it', async (t) => {
  const rule = ['JWT_JWKS_URL: at most one of JWT_PUBLIC_KEY and JWT_JWKS_URL may be set']
  const origins = { JWT_SECRET: keys.hmac, JWT_PUBLIC_KEY: pem(keys.rsa.publicKey), JWT_JWKS_URL: 'https://keys.test' }
  const rows = [
    { left: 'JWT_SECRET', want: rule },
    { left: 'none', want: rule },
    { left: 'JWT_PUBLIC_KEY', want: [] },
    { left: 'JWT_JWKS_URL', want: [] },
  ]
  for (const { left, want } of rows) {
    t.strictSame(faultLines({ ...origins, [left]: '' }), want, `all but ${left}`)
  }
})

t.test('origins are for a key set that is discovered', async (t) => {
  const origins = { JWT_JWKS_ORIGINS: 'https://keys.test, http://127.0.0.1:8080' }
  const fault = ['JWT_JWKS_ORIGINS: applies only to a discovered key set']
  t.strictSame(faultLines(origins), fault, 'a secret')
  t.strictSame(faultLines({ ...KEY, JWT_JWKS_URL: 'https://keys.test/k', ...origins }), fault, 'an address')
  const { issuers } = readConfig({ ...environment, ...KEY, ...origins, JWT_JWKS_MAX_AGE_SECONDS: '3600' })
  const want = { kind: 'discovery', origins: ['https://keys.test', 'http://127.0.0.1:8080'], maxAgeSeconds: 3600 }
  t.match(issuers[0]?.keys[0]?.origin, want)
})
