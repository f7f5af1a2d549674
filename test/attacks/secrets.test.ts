import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { environment } from '../helpers/build.ts'
import { faultLines, issuersFile } from '../helpers/config-faults.ts'
import { AUDIENCE, claims, keys, mint, pem } from '../helpers/tokens.ts'
import { start } from '../reload/harness.ts'

const KEY = 'must be a shared secret, and this is a key, a certificate or a part of one'
const JWK = 'must be a shared secret, and this is a JSON Web Key or other JSON'
const ADDRESS = 'must be the secret itself, and this is an address'
const PATH = 'must be the secret itself, and this is the path of a file'
const TOKEN = 'must be the secret itself, and this is a token'
const PLACEHOLDER = 'must be the secret itself, and this is a placeholder that nothing has filled in'
const NO_TEXT = 'must be text in UTF-8'
const GUESSABLE = 'must not be easy to guess, as words, repeats, sequences, dates and published examples are'

const spki = pem(keys.rsa.publicKey)
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')
const der = (key: KeyObject, type: 'spki' | 'pkcs1') => key.export({ type, format: 'der' })
const jwk = JSON.stringify({ ...keys.rsa.publicKey.export({ format: 'jwk' }), kid: '1' })
/** What OpenSSH writes for a public key. */
const sshLine = (name: string) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return base64(Buffer.concat([length, Buffer.from(name), Buffer.alloc(64, 7)]))
}

const ec = keys.p256.publicKey
const body = (key: KeyObject) => base64(der(key, 'spki'))
const derHex = der(ec, 'spki').toString('hex')
const ecJwk = JSON.stringify(ec.export({ format: 'jwk' }))
const { n = '', x = '', y = '' } = { ...keys.rsa.publicKey.export({ format: 'jwk' }), ...ec.export({ format: 'jwk' }) }
const sha256 = createHash('sha256').update(spki).digest()
const escapedBytes = (prefix: string) => derHex.replace(/../gu, (pair) => `${prefix}${pair}`)

/** Public keys that are escaped, packed or have something around them. */
const disguised: readonly { name: string; input: string; want: string }[] = [
  { name: 'PEM, percent-encoded', input: encodeURIComponent(spki), want: KEY },
  { name: 'PEM, percent-encoded twice', input: encodeURIComponent(encodeURIComponent(spki)), want: KEY },
  { name: 'PEM in one line, percent-encoded', input: encodeURIComponent(spki.replaceAll('\n', '')), want: KEY },
  { name: 'PEM of a form', input: spki.replaceAll(' ', '+').replaceAll('\n', '%0A'), want: KEY },
  { name: 'PEM in JSON, twice', input: JSON.stringify(JSON.stringify(spki)), want: KEY },
  { name: 'PEM in XML', input: spki.replaceAll('\n', '&#10;').replaceAll('-', '&#x2D;'), want: KEY },
  { name: 'PEM with underscores', input: spki.replaceAll(' ', '_').replaceAll('\n', ''), want: KEY },
  { name: 'PEM with long dashes', input: spki.replaceAll('-----', '—'), want: KEY },
  { name: 'PEM without dashes', input: `BEGIN PUBLIC KEY ${body(keys.rsa.publicKey)}`, want: KEY },
  { name: 'PEM in small letters', input: spki.toLowerCase(), want: KEY },
  { name: 'the body behind base64:', input: `base64:${body(keys.rsa.publicKey)}`, want: KEY },
  { name: 'the body behind a word', input: `key ${body(ec)}`, want: KEY },
  ...['key_', 'pk/', 'a-', 'b64+', 'x'].map((word) => ({
    name: `the body behind ${word}`,
    input: word + body(ec),
    want: KEY,
  })),
  { name: 'PKCS #1 behind a word', input: `key_${base64(der(keys.rsa.publicKey, 'pkcs1'))}`, want: KEY },
  { name: 'the body with a comma behind it', input: `${body(keys.rsa.publicKey)},`, want: KEY },
  { name: 'the body with a stop behind it', input: `${body(keys.rsa.publicKey)}.`, want: KEY },
  { name: 'two bodies', input: `${body(ec)}|${body(keys.rsa.publicKey)}`, want: KEY },
  { name: 'a line of .env', input: `JWT_PUBLIC_KEY="${body(keys.rsa.publicKey)}"`, want: KEY },
  { name: 'data URL', input: `data:application/x-pem-file;base64,${base64(spki)}`, want: KEY },
  { name: 'data URL of the body', input: `data:;base64,${body(ec)}`, want: KEY },
  { name: 'hex behind 0x', input: `0x${derHex}`, want: KEY },
  { name: 'hex with colons', input: derHex.replace(/..(?=.)/gu, '$&:'), want: KEY },
  { name: 'hex with dashes', input: derHex.replace(/..(?=.)/gu, '$&-'), want: KEY },
  { name: 'hex behind an odd letter', input: `e${derHex}`, want: KEY },
  { name: 'bytes of C', input: escapedBytes(', 0x').slice(2), want: KEY },
  { name: 'bytes in a text of C', input: escapedBytes('\\x'), want: KEY },
  { name: 'bytes of a URL', input: escapedBytes('%'), want: KEY },
  { name: 'XML of SAML', input: `<X509Certificate>${body(keys.rsa.publicKey)}</X509Certificate>`, want: KEY },
  { name: 'XML of SAML with a namespace', input: `<ds:X509Certificate>${body(ec)}</ds:X509Certificate>`, want: KEY },
  { name: 'gzip', input: base64(gzipSync(spki)), want: KEY },
  { name: 'gzip of DER, in hex', input: gzipSync(der(ec, 'spki')).toString('hex'), want: KEY },
  { name: 'zlib', input: base64(deflateSync(spki)), want: KEY },
  { name: 'UTF-16', input: base64(Buffer.from(spki, 'utf16le')), want: KEY },
  { name: 'UTF-16, a JWK', input: base64(Buffer.from(ecJwk, 'utf16le')), want: JWK },
  {
    name: 'openssl -modulus',
    input: `Modulus=${Buffer.from(n, 'base64url').toString('hex').toUpperCase()}`,
    want: KEY,
  },
  { name: 'openssl -text', input: 'Public-Key: (256 bit)\npub:\n    04:aa:bb', want: KEY },
  { name: 'fingerprint of OpenSSH', input: `SHA256:${base64(sha256).replace('=', '')}`, want: KEY },
  {
    name: 'fingerprint of OpenSSL',
    input: `SHA256 Fingerprint=${sha256
      .toString('hex')
      .toUpperCase()
      .replace(/..(?=.)/gu, '$&:')}`,
    want: KEY,
  },
  { name: 'did:key', input: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK', want: KEY },
  { name: 'JWK, percent-encoded', input: encodeURIComponent(ecJwk), want: JWK },
  { name: 'JWK in JSON', input: JSON.stringify(ecJwk), want: JWK },
  { name: 'JWK in JSON, twice', input: JSON.stringify(JSON.stringify(ecJwk)), want: JWK },
  { name: 'JWK with single quotes', input: ecJwk.replaceAll('"', "'"), want: JWK },
  { name: 'JWK without braces', input: ecJwk.slice(1, -1), want: JWK },
  { name: 'JWK behind a word', input: `jwk=${ecJwk}`, want: JWK },
  { name: 'JWK as YAML', input: `kty: EC\ncrv: P-256\nx: ${x}\ny: ${y}`, want: JWK },
  { name: 'JWK as a query', input: `kty=EC&crv=P-256&x=${x}&y=${y}`, want: JWK },
  { name: 'JWK as TOML, without kty', input: `crv = "P-256"\nx = "${x}"\ny = "${y}"`, want: JWK },
  { name: 'n and e alone', input: `n: ${n}, e: AQAB`, want: JWK },
  { name: 'JWK without braces, in base64 behind a word', input: `base64:${base64(ecJwk.slice(1, -1))}`, want: JWK },
]

/** Texts that are no secrets: anybody may have them, or they are not what somebody meant to give. */
const mistaken: readonly { name: string; input: string; want: string }[] = [
  { name: 'PEM', input: spki, want: KEY },
  { name: 'PEM with literal line breaks', input: spki.replaceAll('\n', '\\n'), want: KEY },
  { name: 'PEM with line breaks of Windows', input: spki.replaceAll('\n', '\r\n'), want: KEY },
  { name: 'PEM in one line', input: spki.replaceAll('\n', ' '), want: KEY },
  { name: 'PEM behind a byte order mark and white space', input: `\ufeff \n${spki}`, want: KEY },
  { name: 'PEM in quotes', input: JSON.stringify(spki), want: KEY },
  { name: 'PEM behind other text', input: `key=${spki}`, want: KEY },
  { name: 'PEM of PKCS #1', input: String(keys.rsa.publicKey.export({ type: 'pkcs1', format: 'pem' })), want: KEY },
  { name: 'PEM of a curve', input: pem(keys.p256.publicKey), want: KEY },
  { name: 'PEM of Ed25519', input: pem(keys.ed25519.publicKey), want: KEY },
  { name: 'private PEM', input: String(keys.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })), want: KEY },
  { name: 'certificate', input: `-----BEGIN CERTIFICATE-----\n${base64('x'.repeat(90))}\n`, want: KEY },
  { name: 'PGP', input: `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${base64('x'.repeat(90))}`, want: KEY },
  { name: 'PEM without its lines', input: spki.split('\n').slice(1, -2).join(''), want: KEY },
  { name: 'the first line of PEM', input: spki.split('\n')[1] ?? '', want: KEY },
  { name: 'base64 of PEM', input: base64(spki), want: KEY },
  { name: 'base64 of base64 of PEM', input: base64(base64(spki)), want: KEY },
  { name: 'hex of PEM', input: Buffer.from(spki).toString('hex'), want: KEY },
  { name: 'base64 of DER', input: base64(der(keys.p384.publicKey, 'spki')), want: KEY },
  { name: 'base64 of DER, Ed25519', input: base64(der(keys.ed25519.publicKey, 'spki')), want: KEY },
  { name: 'base64 of DER, PKCS #1', input: base64(der(keys.rsa.publicKey, 'pkcs1')), want: KEY },
  { name: 'base64url of DER', input: der(keys.rsa.publicKey, 'spki').toString('base64url'), want: KEY },
  { name: 'hex of DER', input: der(keys.rsa.publicKey, 'spki').toString('hex'), want: KEY },
  {
    name: 'base64 of DER, a short RSA key',
    input: base64(
      generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'pkcs1', format: 'der' }),
    ),
    want: KEY,
  },
  { name: 'ssh-rsa', input: `ssh-rsa ${sshLine('ssh-rsa')} alice@laptop`, want: KEY },
  { name: 'ssh-ed25519', input: `ssh-ed25519 ${sshLine('ssh-ed25519')}`, want: KEY },
  { name: 'ecdsa', input: `ecdsa-sha2-nistp256 ${sshLine('ecdsa-sha2-nistp256')}`, want: KEY },
  { name: 'authorized_keys', input: `no-pty ssh-rsa ${sshLine('ssh-rsa')} alice`, want: KEY },
  { name: 'the base64 of OpenSSH alone', input: sshLine('ssh-ed25519'), want: KEY },
  {
    name: 'OpenSSH private key',
    input: `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64('openssh-key-v1\0')}`,
    want: KEY,
  },
  { name: 'SSH2', input: `---- BEGIN SSH2 PUBLIC KEY ----\n${sshLine('ssh-rsa')}`, want: KEY },
  { name: 'PuTTY', input: 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n', want: KEY },
  { name: 'XML', input: `<RSAKeyValue><Modulus>${base64('x'.repeat(64))}</Modulus></RSAKeyValue>`, want: KEY },
  { name: 'JWK', input: jwk, want: JWK },
  { name: 'JWKS', input: `{"keys":[${jwk}]}`, want: JWK },
  { name: 'symmetric JWK', input: JSON.stringify({ kty: 'oct', k: base64('x'.repeat(48)), alg: 'HS256' }), want: JWK },
  { name: 'JWK that is cut off', input: jwk.slice(0, -20), want: JWK },
  { name: 'base64 of JWK', input: base64(jwk), want: JWK },
  { name: 'list of JWKs', input: `[${jwk}]`, want: JWK },
  { name: 'JSON of a secret manager', input: '{"username":"app","password":"0123456789abcdefghijkl"}', want: JWK },
  { name: 'key set', input: 'https://login.example.com/.well-known/jwks.json', want: ADDRESS },
  { name: 'vault', input: 'vault://secret/data/production/jwt-signing', want: ADDRESS },
  { name: 'path', input: '/run/secrets/production-jwt-signing-secret', want: PATH },
  { name: 'path with an ending', input: '/srv-2/Keys/Production/jwt-signing.pem', want: PATH },
  { name: 'relative path', input: './secrets/production/jwt-signing-secret', want: PATH },
  { name: 'path of Windows', input: 'C:\\secrets\\production\\jwt-signing.txt', want: PATH },
  { name: 'file name', input: 'production-signing-key-of-the-app.pem', want: PATH },
  { name: 'token', input: mint(claims()), want: TOKEN },
  { name: 'variable', input: '${PRODUCTION_JWT_SIGNING_SECRET_V2}', want: PLACEHOLDER },
  { name: 'command', input: '$(cat /run/keys/production/jwt.pem)', want: PLACEHOLDER },
  { name: 'Helm', input: '{{ .Values.production.jwtSecret }}', want: PLACEHOLDER },
  { name: 'documentation', input: '<paste the signing secret of your app here>', want: PLACEHOLDER },
  {
    name: 'bytes that are no text',
    input: der(keys.rsa.publicKey, 'spki').toString('utf8').replaceAll('\0', ''),
    want: NO_TEXT,
  },
  ...disguised,
]

/** What a hash function makes of texts that attackers try first. */
const digests = [
  'secret',
  'password',
  'changeme',
  'Changeme',
  'admin',
  '',
  'secret\n',
  '123456',
  'hello world',
].flatMap((text) =>
  ['md5', 'sha1', 'sha256', 'sha512'].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(text).digest()
    return [digest.toString('hex'), digest.toString('hex').toUpperCase(), base64(digest), digest.toString('base64url')]
  }),
)
const bytes = (byte: (at: number) => number, length = 48) => Buffer.from(Array.from({ length }, (_, at) => byte(at)))

const weak: readonly string[] = [
  // Shorter ones are refused for their length.
  ...digests.filter((digest) => digest.length >= 32),
  base64(createHash('sha256').update('secret').digest('hex')),
  base64(bytes((at) => at)),
  base64(bytes((at) => 47 - at)),
  base64(bytes((at) => 128 + 3 * at)),
  base64(bytes((at) => 17 * at)),
  base64(bytes(() => 0)),
  base64(bytes(() => 255)),
  base64(bytes((at) => (at % 2 ? 0x55 : 0xaa))),
  bytes((at) => at).toString('base64url'),
  '9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9',
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
  '5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437',
  '6fa459ea-ee8a-3ca4-894e-db77e160355e',
  'changeme-changeme-changeme-changeme',
  'Ch4ngeM3!Ch4ngeM3!Ch4ngeM3!Ch4ngeM3!',
  'change_me_please_change_me_please_1',
  '01234567890123456789012345678901',
  '98765432109876543210987654321098',
  'your-256-bit-secret-your-256-bit-secret',
  'your-256-bit-secret00000000000000',
  'a-string-secret-at-least-256-bits-long',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'my-32-character-ultra-secure-and-ultra-long-secret',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  'AyM1SysPpbyDfZld3umj1qzKObwVMoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'django-insecure-secret-key-change-me-please',
  'keyboard cat keyboard cat keyboard cat',
  'ThisIsTheSecretKeyForSigningTokens123',
  'MySuperSecretKeyForJwtAuthentication2024!',
  'JwtSecretKeyForDevelopmentOnly12345',
  'thisisasecretthisisasecretthisisas',
  'secretsecretsecretsecretsecretsecret',
  'terces-terces-terces-terces-terces-terces',
  'P@ssw0rd123P@ssw0rd123P@ssw0rd123',
  'qwertyuiopasdfghjklzxcvbnmqwertyuiop',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,',
  'zaq12wsxcde34rfvbgt56yhnmju78ik,',
  '!@#$%^&*()!@#$%^&*()!@#$%^&*()!@',
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'zyxwvutsrqponmlkjihgfedcba9876543210',
  'AbCdEfGhIjKlMnOpQrStUvWxYz012345',
  '0123456789abcdef0123456789abcdef',
  '00112233445566778899aabbccddeeff',
  'deadbeefdeadbeefdeadbeefdeadbeef',
  'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbcccc',
  '1990-01-01-1991-02-02-1992-03-03-1993',
  '20240101202402022024030320240404',
  'the-quick-brown-fox-jumps-over-the-lazy-dog',
  'correct horse battery staple correct horse',
  Buffer.from('changeme-changeme-changeme').toString('hex'),
  Buffer.from('my-super-secret-password-123456').toString('base64'),
  base64(base64('changeme-changeme-changeme')),
  Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('hex'),
  'a'.repeat(5000),
]

t.test('what is no secret is refused, in a sandbox too', async (t) => {
  const issuer = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
  const dir = t.testdir(Object.fromEntries(mistaken.map(({ input }, index) => [`secret-${index}`, input])))
  for (const [index, { name, input, want }] of mistaken.entries()) {
    t.test(name, async (t) => {
      const path = `${dir}/secret-${index}`
      for (const options of [{}, { sandbox: true }]) {
        t.strictSame(faultLines({ JWT_SECRET: input }, options), [`JWT_SECRET: ${want}`])
        const inFile = { JWT_SECRET: '', JWT_SECRET_FILE: path }
        t.strictSame(faultLines(inFile, options), [`JWT_SECRET: ${want}`])
      }
      const entries = [
        { ...issuer, secret: input },
        { ...issuer, name: 'app', issuer: 'https://app.test', secretFile: path },
      ]
      const lines = faultLines(issuersFile(t, entries))
      t.strictSame(lines, [`JWT_ISSUERS_FILE[0].secret: ${want}`, `JWT_ISSUERS_FILE[1].secretFile: ${want}`])
    })
  }
})

t.test('a secret that can be guessed is refused, but in a sandbox', async (t) => {
  for (const input of weak) {
    t.test(input.slice(0, 90), async (t) => {
      t.strictSame(faultLines({ JWT_SECRET: input }), [`JWT_SECRET: ${GUESSABLE}`])
      t.strictSame(faultLines({ JWT_SECRET: input }, { sandbox: true }), [])
    })
  }
})

t.test('a secret that is replaced while the service runs passes the same checks', async (t) => {
  const rows = [
    { name: 'public key', secret: spki },
    { name: 'base64 of a public key', secret: base64(spki) },
    { name: 'JWK', secret: jwk },
    { name: 'guessable', secret: 'changeme-changeme-changeme-changeme' },
  ]
  for (const { name, secret } of rows) {
    t.test(name, async (t) => {
      const dir = t.testdir({ secret: keys.hmac })
      const { looks, status, reloads } = await start(t, { JWT_SECRET: '', JWT_SECRET_FILE: `${dir}/secret` })
      await writeFile(`${dir}/secret`, secret)
      await looks(2)
      t.equal(await reloads('issuer_key', 'refused'), 1)
      t.equal(await status(mint(claims(), {}, secret)), 401)
      t.equal(await status(mint(claims())), 200)
    })
  }
})

t.test('keys of JD Cloud are no paths, addresses, tokens or other keys', async (t) => {
  const inputs = [
    '/run/secrets/jdcloud_access_key',
    './keys/jdcloud',
    'https://vault.test/jdcloud',
    '${JDCLOUD_KEY}',
    jwk,
    base64(der(keys.ed25519.publicKey, 'spki')),
  ]
  for (const name of ['JDCLOUD_ACCESS_KEY', 'JDCLOUD_SECRET_KEY']) {
    for (const input of inputs) {
      t.test(`${name} ${input.slice(0, 40)}`, async (t) => {
        t.match(faultLines({ [name]: input }), [new RegExp(`^${name}: must be the `, 'u')])
      })
    }
  }
  t.strictSame(faultLines({ JDCLOUD_ACCESS_KEY: environment.JDCLOUD_ACCESS_KEY }), [])
})

t.test('a key that seals sessions is no sequence, and no digest of a known text', async (t) => {
  const rows = [
    { name: 'a sequence', input: bytes((at) => at, 32) },
    { name: 'a sequence downwards', input: bytes((at) => 255 - at, 32) },
    { name: 'a sequence with steps', input: bytes((at) => 7 * at, 32) },
    { name: 'half a sequence, twice', input: bytes((at) => at % 16, 32) },
    ...['password', 'secret', 'changeme', ''].map((text) => ({
      name: `SHA-256 of '${text}'`,
      input: createHash('sha256').update(text).digest(),
    })),
    { name: 'MD5 in hex', input: createHash('md5').update('password').digest('hex') },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      t.match(faultLines({ CACHE_ENCRYPTION_KEY: base64(input) }), [/^CACHE_ENCRYPTION_KEY: must be 32 random bytes/u])
    })
  }
})

t.test('a key that seals sessions is not a text in base64', async (t) => {
  for (const text of [
    'changeme-changeme-changeme-chang',
    '0123456789abcdefghijklmnopqrstuv',
    'my-very-secret-cache-key-2024-12',
  ]) {
    t.test(text, async (t) => {
      t.equal(text.length, 32)
      t.match(faultLines({ CACHE_ENCRYPTION_KEY: base64(text) }), [/^CACHE_ENCRYPTION_KEY: must be 32 random bytes/u])
    })
  }
})
