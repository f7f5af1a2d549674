import t from 'tap'
import { PROVIDER_NAMES } from '../../src/identity/preset.ts'
import { faultLines, issuersFile, NO_SINGLE_ISSUER } from '../helpers/config-faults.ts'
import { AUDIENCE, keys } from '../helpers/tokens.ts'

const one = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
const two = { name: 'app', issuer: 'https://app.test', audience: [AUDIENCE, 'other'] }
const FIELDS =
  'name, issuer, tenants, audience, audienceClaim, subject, subjectType, algorithms, secret, secretFile, ' +
  'secretEncoding, publicKey, publicKeyFile, jwksUrl, jwksFile, jwksTokenFile, jwksCaFile, jwksOrigins, ' +
  'jwksMaxAgeSeconds, jwksTimeoutMs, jwksMaxBytes, clockToleranceSeconds, allowedTypes, maxTokenAgeSeconds, provider'
const WRONG = 'has the wrong form'
const REQUIRED = 'is required'
const NAME = 'must be 1 to 32 of a-z, 0-9 and -'
const SEVERAL = 'at most one of publicKey, publicKeyFile, jwksUrl and jwksFile may be set'

t.test('each fault names its place', async (t) => {
  const file = (rule: string) => [`JWT_ISSUERS_FILE: ${rule}`]
  const entry = (rule: string, field = '') => [`JWT_ISSUERS_FILE[0]${field}: ${rule}`]
  const notYaml = file('must name a readable YAML or JSON file')
  const notList = file('must hold a list of at least one issuer')
  const web = 'name: web\n  issuer: https://web.test\n  audience: a\n'
  const rows: { name: string; content: unknown; want: string[] }[] = [
    { name: 'bad YAML', content: '- name: "web\n  issuer: [', want: notYaml },
    { name: 'a key twice', content: `- ${web}  name: app\n`, want: notYaml },
    { name: 'two documents', content: `- ${web}---\n- ${web}`, want: notYaml },
    { name: 'an unknown tag', content: `- ${web}  secret: !vault x\n`, want: notYaml },
    { name: 'a mapping as a key', content: `- ${web}  ? {secret: x}\n  : y\n`, want: notYaml },
    { name: 'an alias bomb', content: bomb(), want: notYaml },
    { name: 'nothing', content: '', want: notList },
    { name: 'an empty list', content: [], want: notList },
    { name: 'a mapping', content: one, want: notList },
    { name: 'text', content: 'web', want: notList },
    { name: 'an entry that is text', content: ['web'], want: entry(WRONG) },
    { name: 'an entry that is null', content: '-\n', want: entry(WRONG) },
    {
      name: 'unknown field',
      content: [{ ...one, audiences: [] }],
      want: entry(`has a field that is not one of ${FIELDS}`),
    },
    {
      name: 'unknown __proto__',
      content: `- ${web}  __proto__: {}\n`,
      want: entry(`has a field that is not one of ${FIELDS}`),
    },
    ...['nobody', 'constructor', 'Auth0', 7, null, ['auth0']].map((provider) => ({
      name: `provider ${provider}`,
      content: [{ ...one, provider }],
      want: entry(`must be one of ${PROVIDER_NAMES.join(', ')}`, '.provider'),
    })),
    {
      name: 'what no provider can fill in',
      content: [{ name: 'web', provider: 'google' }],
      want: entry(REQUIRED, '.audience'),
    },
    {
      name: 'a provider, and an iss that is not of its form',
      content: [{ ...one, provider: 'auth0' }],
      want: entry('must look like https://example.eu.auth0.com/', '.issuer'),
    },
    ...(['name', 'issuer', 'audience'] as const).map((field) => ({
      name: `no ${field}`,
      content: [{ ...one, [field]: undefined }],
      want: entry(field === 'name' ? NAME : REQUIRED, `.${field}`),
    })),
    ...['', 'Web', 'web.eu', 'web/eu', 'web@eu', '-web', 'w'.repeat(33), '*', 'wéb'].map((name) => ({
      name: `name ${name}`,
      content: [{ ...one, name }],
      want: entry(NAME, '.name'),
    })),
    ...Object.entries({
      name: [7],
      issuer: [7, [], [7]],
      tenants: [[], 'a'],
      audience: ['', [], [7], { a: 'b' }],
      audienceClaim: ['', 'a b', '.', 7, ['azp']],
      subject: ['', 'a..b', 7, ['sub']],
      subjectType: ['number', 7],
      secretEncoding: ['ascii', 'base32', 7],
      jwksFile: ['', 7],
      jwksTokenFile: [''],
      jwksCaFile: [''],
      jwksTimeoutMs: [0, 99, 10_001, '2000'],
      jwksMaxBytes: [1023, 4_194_305, 2048.5],
      algorithms: ['HS256', []],
      secret: ['', 1234567890123456, ['x']],
      secretFile: ['', 7],
      publicKey: [{}],
      publicKeyFile: [true],
      jwksUrl: [''],
      clockToleranceSeconds: [-1, 301, 1.5, '5'],
      jwksMaxAgeSeconds: [0, 59, 2_592_001, 60.5, '60'],
      jwksOrigins: [[], 'https://keys.test'],
      allowedTypes: [[], 'JWT', 7],
      maxTokenAgeSeconds: [0, -1, 31_536_001, 1.5, '5'],
    }).flatMap(([field, values]) =>
      values.map((value) => ({
        name: `${field} ${JSON.stringify(value)}`,
        content: [{ ...one, [field]: value }],
        want: entry(field === 'name' ? NAME : WRONG, `.${field}`),
      })),
    ),
    ...['keys.test', 'https://keys.test/', 'http://keys.test', 'https://u@keys.test', 'https://*.keys.test', '*'].map(
      (origin) => ({
        name: `key-set origin ${origin}`,
        content: [{ ...one, jwksOrigins: [origin] }],
        want: entry(WRONG, '.jwksOrigins.0'),
      }),
    ),
    {
      name: 'origins for a set with a given address',
      content: [{ ...one, jwksUrl: 'https://keys.test/k', jwksOrigins: ['https://keys.test'] }],
      want: entry('applies only to a discovered key set', '.jwksOrigins'),
    },
    {
      name: 'an age for a configured key',
      content: [{ ...one, secret: keys.hmac, jwksMaxAgeSeconds: 3600 }],
      want: entry('applies only to fetched key sets', '.jwksMaxAgeSeconds'),
    },
    { name: 'algorithm none', content: [{ ...one, algorithms: ['none'] }], want: entry(WRONG, '.algorithms.0') },
    { name: 'two origins', content: [{ ...one, publicKey: 'x', jwksUrl: 'https://x' }], want: entry(SEVERAL) },
    {
      name: 'one origin twice',
      content: [{ ...one, secret: keys.hmac, secretFile: 'hmac.txt' }],
      want: entry('at most one of secret and secretFile may be set'),
    },
    {
      name: 'no such file',
      content: [{ ...one, secretFile: 'no.txt' }],
      want: entry('must name a readable file', '.secretFile'),
    },
    {
      name: 'a directory',
      content: [{ ...one, publicKeyFile: '.' }],
      want: entry('must name a readable file', '.publicKeyFile'),
    },
    {
      name: 'an empty file',
      content: [{ ...one, secretFile: 'empty.txt' }],
      want: entry('must not name an empty file', '.secretFile'),
    },
    {
      name: 'an invalid key',
      content: [{ ...one, publicKeyFile: 'hmac.txt' }],
      want: entry('must be a PEM public key', '.publicKeyFile'),
    },
    {
      name: 'a weak secret',
      content: [{ ...one, secret: 'weak' }],
      want: entry('an HMAC secret must have at least 32 bytes for HS256', '.secret'),
    },
    {
      name: 'plain http',
      content: [{ ...one, jwksUrl: 'http://web.test' }],
      want: entry('must not use plain http, except to loopback', '.jwksUrl'),
    },
    {
      name: 'discovery over http',
      content: [{ ...one, issuer: 'http://web.test' }],
      want: entry('must not use plain http, except to loopback', '.issuer'),
    },
    {
      name: 'discovery of no URL',
      content: [{ ...one, issuer: 'web' }],
      want: entry('must be an absolute URL', '.issuer'),
    },
    {
      name: 'a misfit',
      content: [{ ...one, algorithms: ['HS256'] }],
      want: entry('the algorithms must fit the key, and HS256 does not', '.issuer'),
    },
    { name: 'a name twice', content: [one, { ...two, name: 'web' }], want: file('each name must appear only once') },
    {
      name: 'an issuer twice',
      content: [one, { ...two, issuer: one.issuer }],
      want: file('each issuer must appear only once'),
    },
    {
      name: 'several faults',
      content: [{ ...one, name: 'W' }, { ...two, secret: 'weak' }, { x: 1 }],
      want: [
        'JWT_ISSUERS_FILE[0].name: must be 1 to 32 of a-z, 0-9 and -',
        'JWT_ISSUERS_FILE[1].secret: an HMAC secret must have at least 32 bytes for HS256',
        'JWT_ISSUERS_FILE[2].name: must be 1 to 32 of a-z, 0-9 and -',
        'JWT_ISSUERS_FILE[2].issuer: is required',
        'JWT_ISSUERS_FILE[2].audience: is required',
        `JWT_ISSUERS_FILE[2]: has a field that is not one of ${FIELDS}`,
      ],
    },
  ]
  for (const { name, content, want } of rows) {
    t.test(name, async (t) => t.strictSame(faultLines(issuersFile(t, content)), want))
  }
  t.test('no such file', async (t) => {
    t.strictSame(faultLines({ ...NO_SINGLE_ISSUER, JWT_ISSUERS_FILE: '/nowhere' }), notYaml)
  })
})

/** Nine levels of ten aliases each: a thousand million items after expansion. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, n) => `- &a${n + 1} [${Array(10).fill(`*a${n}`).join(', ')}]`)
  return ['- &a0 [x]', ...levels].join('\n')
}
