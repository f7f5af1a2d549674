import t from 'tap'
import { type Config, readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { settings } from '../../src/config/settings.ts'
import { environment, onAwsSts } from '../helpers/build.ts'
import { configError, faultLines, onlyTargetIn } from '../helpers/config-faults.ts'
import { keys, pem } from '../helpers/tokens.ts'

const SENTINEL = 'SENTINEL-value-that-must-not-be-told-0123456789'
const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 5 * index ** 2)).toString('base64')
const spki = pem(keys.rsa.publicKey)

/** Each secret: a good value, its place in the configuration, and further settings that it needs. */
const secrets: Record<string, { value: string; read: (config: Config) => unknown; env?: Environment }> = {
  JWT_SECRET: { value: SENTINEL, read: keyOf },
  JWT_PUBLIC_KEY: { value: spki.trim(), read: keyOf, env: { JWT_SECRET: '' } },
  JDCLOUD_ACCESS_KEY: { value: SENTINEL, read: (config) => onlyTargetIn(config).sts.accessKey },
  JDCLOUD_SECRET_KEY: { value: SENTINEL, read: (config) => onlyTargetIn(config).sts.secretKey },
  AWS_STS_ACCESS_KEY: { value: SENTINEL, read: (config) => onlyTargetIn(config).sts.accessKey, env: onAwsSts },
  AWS_STS_SECRET_KEY: { value: SENTINEL, read: (config) => onlyTargetIn(config).sts.secretKey, env: onAwsSts },
  REDIS_URL: {
    value: `rediss://:${SENTINEL}@redis.test`,
    read: (config) => config.redis?.address,
    env: { CACHE_ENCRYPTION_KEY: AES_KEY },
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    value: `authorization=${SENTINEL}`,
    read: (config) => config.tracing?.headers,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.test' },
  },
  CACHE_ENCRYPTION_KEY: {
    value: AES_KEY,
    read: (config) => config.redis?.encryptionKeys,
    env: { REDIS_URL: 'rediss://redis.test' },
  },
  AUDIT_CHAIN_KEY: { value: AES_KEY, read: (config) => config.audit.chainKeys },
  AUDIT_SUBJECT_KEY: {
    value: AES_KEY,
    read: (config) => config.audit.subjectKeys,
    env: { AUDIT_SUBJECT: 'hmac' },
  },
}

function keyOf({ issuers: [issuer] }: Config): unknown {
  const origin = issuer?.keys[0]?.origin
  if (origin?.kind === 'secret') return origin.secret
  return origin?.kind === 'public-key' ? origin.pem : undefined
}

for (const [name, { value, read, env = {} }] of Object.entries(secrets)) {
  t.test(`${name}_FILE`, async (t) => {
    const dir = t.testdir({
      bare: value,
      newline: `${value}\n`,
      windows: `${value}\r\n`,
      empty: '',
      blank: ' \n\n',
    })
    const unset = { ...env, [name]: '' }
    const direct = read(readConfig({ ...environment, ...env, [name]: value }))
    for (const file of ['bare', 'newline', 'windows']) {
      t.test(`${file}: the same as the variable`, async (t) => {
        const config = readConfig({ ...environment, ...unset, [`${name}_FILE`]: `${dir}/${file}` })
        t.strictSame(read(config), direct)
        t.strictSame(config.secretFiles, { [name]: `${dir}/${file}` })
        t.match(config.issuers[0]?.keys, name.startsWith('JWT_') ? [{ origin: { file: `${dir}/${file}` } }] : [])
      })
    }
    const unreadable = [`${name}_FILE: must name a readable file`]
    const rows: { name: string; file: string; value?: string; want: string[] }[] = [
      { name: 'missing', file: `${dir}/missing`, want: unreadable },
      { name: 'a directory', file: dir, want: unreadable },
      { name: 'empty', file: `${dir}/empty`, want: [`${name}_FILE: must not name an empty file`] },
      { name: 'blank', file: `${dir}/blank`, want: [`${name}_FILE: must not name an empty file`] },
      { name: 'both set', file: `${dir}/bare`, value, want: [`${name}: must not be set beside ${name}_FILE`] },
      { name: 'both set, file missing', file: '/x', value, want: [`${name}: must not be set beside ${name}_FILE`] },
    ]
    for (const { name: row, file, value = '', want } of rows) {
      t.test(row, async (t) => t.strictSame(faultLines({ ...unset, [name]: value, [`${name}_FILE`]: file }), want))
    }
    t.test('an empty path counts as unset', async (t) => {
      t.strictSame(faultLines({ ...env, [name]: value, [`${name}_FILE`]: '' }), [])
    })
  })
}

t.test('a setting that is not a secret cannot be read from a file, and the fault says so', async (t) => {
  t.strictSame(faultLines({ OSS_BUCKET_FILE: '/run/bucket' }), ['OSS_BUCKET_FILE: is not a variable of this service'])
})

t.test('misspelled and truncated variables are reported, foreign variables are not', async (t) => {
  const rows = [
    { name: 'CORS_ORIGIN', want: true },
    { name: 'STS_TIMEOUT', want: true },
    { name: 'JWT_SECRT', want: true },
    { name: 'AWS_STS_ROLE_ARM', want: true },
    { name: 'AWS_STS_SECRET', want: true },
    { name: 'JDCLOUD_SECRETKEY', want: true },
    { name: 'JWT_SECRET_FIL', want: true },
    { name: 'HOSTNAME', want: false },
    { name: 'OSS_VEND_PORT', want: false },
    { name: 'OSS_VEND_SERVICE_HOST', want: false },
    { name: 'JWT_PRIVATE_KEY', want: false },
    { name: 'KUBERNETES_PORT', want: false },
    { name: 'NODE_ENV', want: false },
    { name: 'AWS_REGION', want: false },
  ]
  for (const { name, want } of rows) {
    t.strictSame(faultLines({ [name]: 'x' }), want ? [`${name}: is not a variable of this service`] : [], name)
  }
})

t.test('no fault contains a value', async (t) => {
  const dir = t.testdir({ secret: `${SENTINEL} with a space` })
  const rows: { name: string; env: Record<string, string>; want: number }[] = [
    ...Object.keys(settings).map((variable) => ({
      name: `${variable}, out of its grammar`,
      // Some settings accept any text. Another fault must not show it.
      env: { [variable]: `${SENTINEL}\u0000 *`, PORT: SENTINEL },
      want: 1,
    })),
    { name: 'weak secret', env: { JWT_SECRET: 'SENTINEL-short' }, want: 1 },
    { name: 'private key', env: { JWT_SECRET: '', JWT_PUBLIC_KEY: `${privatePem()}${SENTINEL}` }, want: 1 },
    { name: 'half a key', env: { JWT_SECRET: '', JWT_PUBLIC_KEY: spki.replace('\n', `\n${SENTINEL}`) }, want: 1 },
    {
      name: 'password in an address',
      env: { JDCLOUD_STS_ENDPOINT: `http://user:${SENTINEL}@sts.test/${SENTINEL}?${SENTINEL}#${SENTINEL}` },
      want: 3,
    },
    { name: 'secret in the wrong variable', env: { OSS_BUCKET: SENTINEL, JWT_ALGORITHMS: SENTINEL }, want: 2 },
    { name: 'path of a secret', env: { JDCLOUD_ACCESS_KEY: '', JDCLOUD_ACCESS_KEY_FILE: `/${SENTINEL}` }, want: 1 },
    { name: 'file', env: { JDCLOUD_ACCESS_KEY: '', JDCLOUD_ACCESS_KEY_FILE: `${dir}/secret` }, want: 1 },
    { name: 'twice', env: { JWT_JWKS_URL: `https://u:${SENTINEL}@x`, JWT_PUBLIC_KEY: SENTINEL }, want: 1 },
  ]
  const everything = { JWT_SECRET: SENTINEL, JDCLOUD_ACCESS_KEY: SENTINEL, JDCLOUD_SECRET_KEY: SENTINEL }
  for (const { name, env, want } of rows) {
    t.test(name, async (t) => {
      const error = configError({ ...everything, ...env })
      t.ok((error?.faults.length ?? 0) >= want, 'it is refused')
      const told = [error?.message, error?.stack, JSON.stringify(error)].join('\n')
      t.notMatch(told, /SENTINEL/u)
      t.equal(error?.cause, undefined, 'and no cause could show it')
    })
  }
})

function privatePem(): string {
  return String(keys.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))
}
