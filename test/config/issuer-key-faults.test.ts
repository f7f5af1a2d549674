import { createHash } from 'node:crypto'
import t from 'tap'
import { faultLines, issuersFile } from '../helpers/config-faults.ts'
import { AUDIENCE, keys, pem } from '../helpers/tokens.ts'

const one = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
const own = { ...one, secret: keys.hmac }
const spki = pem(keys.rsa.publicKey)

const ROWS: readonly Readonly<{ name: string; entry: object; want: string | string[] }>[] = [
  {
    name: 'an encoding without a secret',
    entry: { ...one, secretEncoding: 'hex' },
    want: 'secretEncoding: applies only to a secret',
  },
  {
    name: 'base64 that is none',
    entry: { ...own, secretEncoding: 'base64' },
    want: 'secret: must be base64 throughout',
  },
  { name: 'hex that is none', entry: { ...own, secretEncoding: 'hex' }, want: 'secret: must be hex throughout' },
  {
    name: 'a secret that is long enough only as text',
    entry: { ...one, secret: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ', secretEncoding: 'base64' },
    want: 'secret: an HMAC secret must have at least 32 bytes for HS256',
  },
  ...(['base64', 'base64url', 'hex'] as const).flatMap((secretEncoding) =>
    [
      Buffer.from('password password password password password'),
      Buffer.alloc(40),
      Buffer.from(Array.from({ length: 40 }, (_, i) => i)),
      createHash('sha256').update('password').digest(),
    ].map((bytes, index) => ({
      name: `weak bytes ${index} in ${secretEncoding}`,
      entry: { ...one, secret: bytes.toString(secretEncoding), secretEncoding },
      want: 'secret: must not be easy to guess, as words, repeats, sequences, dates and published examples are',
    })),
  ),
  {
    name: 'a public key in base64',
    entry: { ...one, secret: Buffer.from(spki).toString('base64'), secretEncoding: 'base64' },
    want: 'secret: must be a shared secret, and this is a key, a certificate or a part of one',
  },
  ...['jwksMaxAgeSeconds', 'jwksTimeoutMs', 'jwksMaxBytes'].map((field) => ({
    name: `${field} for a secret`,
    entry: { ...own, [field]: 2048 },
    want: `${field}: applies only to fetched key sets`,
  })),
  ...['jwksTokenFile', 'jwksCaFile'].map((field) => ({
    name: `${field} for a public key`,
    entry: { ...one, publicKey: spki, [field]: 'hmac.txt' },
    want: `${field}: applies only to fetched key sets`,
  })),
  {
    name: 'jwksTokenFile for a file',
    entry: { ...one, jwksFile: 'set.json', jwksTokenFile: 'hmac.txt' },
    want: 'jwksTokenFile: applies only to fetched key sets',
  },
  ...['no.txt', 'empty.txt', 'key.pem', '.'].map((jwksTokenFile) => ({
    name: `jwksTokenFile ${jwksTokenFile}`,
    entry: { ...one, jwksTokenFile },
    want: 'jwksTokenFile: must name a readable file with one token',
  })),
  ...['no.txt', 'empty.txt', 'key.pem', '.'].map((jwksCaFile) => ({
    name: `jwksCaFile ${jwksCaFile}`,
    entry: { ...one, jwksCaFile },
    want: 'jwksCaFile: must name a readable file of PEM certificates',
  })),
  {
    name: 'an authority for plain http',
    entry: { ...one, jwksUrl: 'http://127.0.0.1/k', jwksCaFile: 'ca.pem' },
    want: 'jwksCaFile: applies only to https',
  },
  { name: 'no key-set file', entry: { ...one, jwksFile: 'no.json' }, want: 'jwksFile: must name a readable file' },
  {
    name: 'an empty key-set file',
    entry: { ...one, jwksFile: 'empty.txt' },
    want: 'jwksFile: must not name an empty file',
  },
  ...['hmac.txt', 'key.pem', 'issuers.yaml'].map((jwksFile) => ({
    name: `a key set out of ${jwksFile}`,
    entry: { ...one, jwksFile },
    want: 'jwksFile: must hold a key set (JWKS) or a map of certificates, as JSON',
  })),
  { name: 'a long key set', entry: { ...one, jwksFile: 'long.json' }, want: 'jwksFile: must be at most 64 KiB' },
  {
    name: 'a private key set',
    entry: { ...one, jwksFile: 'private.json' },
    want: 'jwksFile: must not hold private keys',
  },
  {
    name: 'a key set without a key for the algorithms',
    entry: { ...one, jwksFile: 'set.json', algorithms: ['ES256'] },
    want: 'jwksFile: must hold a key that can be used, for ES256',
  },
  {
    name: 'two sources, and no algorithm for the secret',
    entry: { ...own, jwksUrl: 'https://web.test/k', algorithms: ['ES256'] },
    want: 'secret: the algorithms must fit the key, and none does',
  },
  {
    name: 'two sources, and no algorithm for the key set',
    entry: { ...own, jwksUrl: 'https://web.test/k', algorithms: ['HS256'] },
    want: 'jwksUrl: the algorithms must fit the key, and none does',
  },
  {
    name: 'two sources, and an algorithm for neither',
    entry: { ...own, publicKey: spki, algorithms: ['HS256', 'ES256'] },
    want: 'publicKey: the algorithms must fit the key, and ES256 does not',
  },
  ...[
    ['publicKey', 'publicKeyFile'],
    ['publicKey', 'jwksFile'],
    ['jwksUrl', 'jwksFile'],
  ].map((fields) => ({
    name: fields.join(' and '),
    entry: { ...own, ...Object.fromEntries(fields.map((field) => [field, 'x'])) },
    want: ['JWT_ISSUERS_FILE[0]: at most one of publicKey, publicKeyFile, jwksUrl and jwksFile may be set'],
  })),
]

t.test('every source of keys that makes no sense is refused at start', async (t) => {
  for (const { name, entry, want } of ROWS) {
    t.test(name, async (t) => {
      const lines = faultLines(issuersFile(t, [entry]))
      t.strictSame(lines, typeof want === 'string' ? [`JWT_ISSUERS_FILE[0].${want}`] : want)
    })
  }
})
