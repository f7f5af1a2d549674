import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Config, readConfig } from '../../src/config/config.ts'
import { environment } from '../helpers/build.ts'
import { configError, faultLines, issuersFile } from '../helpers/config-faults.ts'
import { AUDIENCE, keys, pem } from '../helpers/tokens.ts'

const SENTINEL = 'SENTINEL-of-an-issuer-that-must-not-be-told-01'
const spki = pem(keys.rsa.publicKey)
const one = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
const two = { name: 'app', issuer: 'https://app.test', audience: [AUDIENCE, 'other'] }

const read = (t: Test, content: unknown): Config['issuers'] =>
  readConfig({ ...environment, ...issuersFile(t, content) }).issuers

t.test('every source of keys, in YAML and in JSON', async (t) => {
  const fixed = {
    name: 'web',
    issuer: [{ iss: 'https://web.test' }],
    audience: [AUDIENCE],
    audienceClaim: ['aud'],
    subject: { path: ['sub'], type: 'text' },
    clockToleranceSeconds: 5,
  }
  const secret = { kind: 'secret', secret: keys.hmac, encoding: 'utf8' }
  const fetching = { maxAgeSeconds: 86_400, timeoutMs: 2000, maxBytes: 262_144 }
  const discovered = { kind: 'discovery', issuer: 'https://web.test', origins: [], ...fetching }
  const elsewhere = t.testdir({ hmac: keys.hmac })
  const key = { kind: 'public-key', pem: spki }
  const rows = [
    { name: 'secret', entry: { secret: keys.hmac }, want: { algorithms: ['HS256'], origin: secret } },
    {
      name: 'secretFile',
      entry: { secretFile: 'hmac.txt' },
      want: { algorithms: ['HS256'], origin: secret },
      file: 'hmac.txt',
    },
    { name: 'publicKey', entry: { publicKey: spki }, want: { algorithms: ['RS256'], origin: key } },
    {
      name: 'publicKeyFile',
      entry: { publicKeyFile: './key.pem', algorithms: ['PS256'] },
      want: { algorithms: ['PS256'], origin: { ...key, pem: spki.trim() } },
      file: 'key.pem',
    },
    {
      name: 'jwksUrl',
      entry: { jwksUrl: 'https://web.test/jwks', clockToleranceSeconds: 0 },
      want: {
        algorithms: ['RS256', 'ES256'],
        origin: { kind: 'jwks', url: 'https://web.test/jwks', ...fetching },
      },
      more: { clockToleranceSeconds: 0 },
    },
    { name: 'discovery', entry: {}, want: { algorithms: ['RS256', 'ES256'], origin: discovered } },
    {
      name: 'discovery with all options',
      entry: {
        jwksOrigins: ['https://keys.test'],
        jwksMaxAgeSeconds: 3600,
        jwksTimeoutMs: 500,
        jwksMaxBytes: 4096,
      },
      want: {
        algorithms: ['RS256', 'ES256'],
        origin: {
          ...discovered,
          origins: ['https://keys.test'],
          maxAgeSeconds: 3600,
          timeoutMs: 500,
          maxBytes: 4096,
        },
      },
    },
  ]
  for (const { name, entry, want, more, file } of rows) {
    t.test(name, async (t) => {
      const got = read(t, [{ ...one, ...entry }])
      const origin = { ...want.origin, ...(file && { file: `${t.testdirName}/${file}` }) }
      t.strictSame(got, [{ ...fixed, ...more, keys: [{ ...want, origin }] }])
    })
  }
  t.test('YAML with comments', async (t) => {
    const yaml = `# ours\n- name: web\n  issuer: https://web.test\n  audience: ${AUDIENCE} # the API\n`
    t.strictSame(read(t, yaml), [{ ...fixed, keys: [{ algorithms: ['RS256', 'ES256'], origin: discovered }] }])
  })
  t.test('an absolute path', async (t) => {
    const [source] = read(t, [{ ...one, secretFile: `${elsewhere}/hmac` }])[0]?.keys ?? []
    t.strictSame(source?.origin, { ...secret, file: `${elsewhere}/hmac` })
  })
  t.test('the default maximum age of key sets', async (t) => {
    const env = { ...environment, ...issuersFile(t, [one, { ...two, jwksMaxAgeSeconds: 120 }]) }
    const { issuers } = readConfig({ ...env, JWT_JWKS_MAX_AGE_SECONDS: '600' })
    t.match(issuers, [{ keys: [{ origin: { maxAgeSeconds: 600 } }] }, { keys: [{ origin: { maxAgeSeconds: 120 } }] }])
  })
  t.test('two issuers, in order', async (t) =>
    t.strictSame(
      read(t, [one, two]).map(({ name }) => name),
      ['web', 'app'],
    ),
  )
})

t.test('a file excludes the variables of one issuer', async (t) => {
  const rule = 'must not be set beside JWT_ISSUERS_FILE'
  const single = {
    JWT_ISSUER: one.issuer,
    JWT_AUDIENCE: AUDIENCE,
    JWT_ALGORITHMS: 'HS256',
    JWT_SECRET: keys.hmac,
    JWT_PUBLIC_KEY: spki,
    JWT_JWKS_URL: 'https://web.test',
    JWT_JWKS_ORIGINS: 'https://keys.test',
  }
  for (const [variable, value] of Object.entries(single)) {
    t.strictSame(faultLines({ ...issuersFile(t, [one]), [variable]: value }), [`${variable}: ${rule}`])
  }
  t.strictSame(
    faultLines({ ...issuersFile(t, [one]), ...single }).toSorted(),
    Object.keys(single)
      .map((variable) => `${variable}: ${rule}`)
      .toSorted(),
    'all faults are reported',
  )
})

t.test('contents of the file never reach an error or a warning of the process', async (t) => {
  const warnings: string[] = []
  const listener = (warning: Error) => warnings.push(String(warning))
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const rows = [
    { name: 'weak', content: [{ ...one, secret: 'SENTINEL-weak' }] },
    { name: 'misplaced', content: [{ ...one, publicKey: SENTINEL }] },
    { name: 'in a list', content: [{ ...one, secret: [SENTINEL] }] },
    { name: 'in an address', content: [{ ...one, jwksUrl: `https://u:${SENTINEL}@web.test` }] },
    { name: 'as a path', content: [{ ...one, secretFile: SENTINEL }] },
    { name: 'as an algorithm', content: [{ ...one, algorithms: [SENTINEL] }] },
    { name: 'twice', content: [{ ...one, secret: SENTINEL, publicKey: SENTINEL }] },
    { name: 'without a space', content: `[{name: web, secret:${SENTINEL}}]` },
    { name: 'without a field', content: `[{name: web, ${SENTINEL}}]` },
    { name: 'bad YAML', content: `- name: web\n  secret: "${SENTINEL}\n` },
    { name: 'no list', content: `secret: ${SENTINEL}\n` },
    { name: 'with a tag', content: `- name: web\n  secret: !vault ${SENTINEL}\n` },
    { name: 'in a key', content: `- ? {secret: ${SENTINEL}}\n  : x\n` },
  ]
  for (const { name, content } of rows) {
    t.test(name, async (t) => {
      const error = configError(issuersFile(t, content))
      t.ok(error, 'it is refused')
      t.notMatch([error?.message, error?.stack, JSON.stringify(error)].join('\n'), /SENTINEL/u)
    })
  }
  t.test('warnings', async (t) => {
    await turn()
    const seen = once(process, 'warning')
    process.emitWarning('the last one')
    await seen
    t.strictSame(warnings, ['Warning: the last one'])
  })
})
