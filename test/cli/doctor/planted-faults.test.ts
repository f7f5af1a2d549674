import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Sandbox } from '../../../sandbox/index.ts'
import type { Scenario } from '../../../sandbox/world.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { jwk } from '../../helpers/key-servers.ts'
import { listen } from '../../helpers/listen.ts'
import { needsRedis, redisServer } from '../../helpers/redis.ts'
import { statement, templateText } from '../../helpers/templates.ts'
import { keys } from '../../helpers/tokens.ts'
import { diagnose, ORIGIN, soundCloud } from './harness.ts'

/** One fault in a cloud that is sound otherwise, and the one cross that it must be. */
type Row = Readonly<{
  fault: string
  scenario?: Scenario
  /** Plants it, and returns what differs in the environment. */
  plant?: (t: Test, sandbox: Sandbox) => Environment | Promise<Environment>
  probe?: true
  /** How far the clock of this machine is ahead. */
  aheadMs?: number
  /** Whether the time limit of Redis is over sooner. */
  hurry?: true
  redis?: true
  want: Readonly<{ name: string; message: RegExp; remedy: RegExp; settings?: readonly string[] }>
  /** Checks that the fault makes impossible. */
  notChecked?: readonly string[]
}>

const allow = (...Action: string[]) => [
  {
    Version: '3' as const,
    Statement: [{ Effect: 'Allow' as const, Action, Resource: ['jrn:oss:*:111111111111:test-app/*'] }],
  },
]
const EXAMPLE = {
  caller: { sub: 'alice' },
  can: ['PutObject users/alice/1.jpg'],
  cannot: ['PutObject users/bob/1.jpg'],
}
const policies = (t: Test, parts: Record<string, unknown>) => ({
  POLICIES_DIR: t.testdir({ 'mine.yaml': templateText({ examples: [EXAMPLE], ...parts }) }),
})
const jwks = async (t: Test, body: string) => ({
  JWT_SECRET: '',
  JWT_JWKS_URL: `${await listen(t, (_request, response) => response.end(body))}/keys`,
})
const redisAt = (url: string): Environment => ({
  REDIS_URL: url,
  CACHE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
})
const AFTER_ROLE = ['session length', 'bucket', 'cors']
const AFTER_KEYS = ['role', ...AFTER_ROLE]

const ROWS: readonly Row[] = [
  {
    fault: 'a wrong secret key',
    plant: () => ({ JDCLOUD_SECRET_KEY: 'AnotherSecretKey0000000000000000' }),
    want: {
      name: 'keys',
      message: /secret key does not belong to the access key.*APIGW_SIGN_RESULT_NOT_SAME/u,
      remedy: /set the secret key that belongs to the access key/u,
      settings: ['JDCLOUD_SECRET_KEY', 'JDCLOUD_STS_SIGN_HOST'],
    },
    notChecked: AFTER_KEYS,
  },
  {
    fault: 'an access key that does not exist',
    plant: () => ({ JDCLOUD_ACCESS_KEY: 'JDC_ANOTHERACCESSKEY0000000000' }),
    want: {
      name: 'keys',
      message: /does not know the access key/u,
      remedy: /set the access key of the sub-user/u,
      settings: ['JDCLOUD_ACCESS_KEY'],
    },
    notChecked: AFTER_KEYS,
  },
  {
    fault: 'a role that does not exist',
    plant: () => ({ JDCLOUD_ROLE_NAME: 'other-role' }),
    want: {
      name: 'role',
      message: /role\/other-role: there is no such role/u,
      remedy: /correct the name of the role/u,
      settings: ['JDCLOUD_ROLE_NAME', 'JDCLOUD_ACCOUNT_ID'],
    },
    notChecked: AFTER_ROLE,
  },
  {
    fault: 'a role that does not trust the sub-user',
    scenario: { trusts: [] },
    want: { name: 'role', message: /does not trust the sub-user/u, remedy: /trust policy of the role/u },
    notChecked: AFTER_ROLE,
  },
  {
    fault: 'a clock that is 20 minutes ahead',
    aheadMs: 20 * 60_000,
    want: { name: 'clock', message: /is 20 minutes apart/u, remedy: /20 minutes ahead of .* time service \(NTP\)/u },
    notChecked: ['keys', ...AFTER_KEYS],
  },
  {
    fault: 'a clock that is 20 minutes behind',
    aheadMs: -20 * 60_000,
    want: { name: 'clock', message: /is 20 minutes apart/u, remedy: /20 minutes behind .* time service \(NTP\)/u },
    notChecked: ['keys', ...AFTER_KEYS],
  },
  {
    fault: 'STS that cannot be reached',
    plant: () => ({ JDCLOUD_STS_ENDPOINT: 'http://127.0.0.1:1' }),
    want: {
      name: 'sts',
      message: /cannot reach http:\/\/127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\)/u,
      remedy: /host and port/u,
      settings: ['JDCLOUD_STS_ENDPOINT'],
    },
    notChecked: ['clock', 'keys', ...AFTER_KEYS],
  },
  {
    fault: 'STS with a certificate that is not trusted',
    plant: (_t, { sts }) => ({ JDCLOUD_STS_ENDPOINT: sts.httpsUrl }),
    want: {
      name: 'sts',
      message: /authority that is not trusted here/u,
      remedy: /EXTRA_CA_FILE/u,
      settings: ['EXTRA_CA_FILE'],
    },
    notChecked: ['clock', 'keys', ...AFTER_KEYS],
  },
  {
    fault: 'STS that never answers',
    plant(_t, { sts }) {
      sts.faults.set({ kind: 'hang' })
      return { STS_TIMEOUT_MS: '200' }
    },
    want: { name: 'sts', message: /did not answer in time/u, remedy: /firewall, route and proxy/u },
    notChecked: ['clock', 'keys', ...AFTER_KEYS],
  },
  {
    fault: 'a gateway that answers in place of STS',
    plant(_t, { sts }) {
      sts.faults.set({ kind: 'html' })
      return {}
    },
    want: {
      name: 'keys',
      message: /no answer that can be used \(.*502\)/u,
      remedy: /check who answers at this address/u,
    },
    notChecked: AFTER_KEYS,
  },
  {
    fault: 'a role whose sessions are shorter than a template asks for',
    scenario: { maxSessionSeconds: 3600 },
    plant: (t) => ({ JDCLOUD_MAX_SESSION_SECONDS: '43200', ...policies(t, { durationSeconds: 7200 }) }),
    want: {
      name: 'session length',
      message: /no session of 7200 s, which mine asks for; 3600 s works.*OUT_OF_RANGE/u,
      remedy: /raise the maximum session duration of the role to 7200 s/u,
      settings: ['JDCLOUD_MAX_SESSION_SECONDS'],
    },
  },
  {
    fault: 'a template with an error',
    plant: (t) => policies(t, { policy: { Version: '3', Statement: [statement('*')] } }),
    want: { name: 'templates', message: /mine\.yaml:.*docs\/policies\.md#/u, remedy: /./u },
    notChecked: ['session length', 'cors', 'template policies'],
  },
  {
    fault: 'a template that does not fit into 2048 bytes',
    plant(t) {
      const folder = 'x'.repeat(180)
      const Resource = Array.from(
        { length: 10 },
        (_, i) => `jrn:oss:*:\${account}:\${bucket}/\${jwt:sub}/${i}-${folder}/*`,
      )
      const Statement = [{ Effect: 'Allow', Action: ['oss:PutObject'], Resource }]
      const key = `alice/0-${folder}/1.jpg`
      const examples = [
        { caller: { sub: 'alice' }, can: [`PutObject ${key}`], cannot: [`PutObject bob/0-${folder}/1`] },
      ]
      return policies(t, { policy: { Version: '3', Statement }, examples })
    },
    want: { name: 'templates', message: /mine\.yaml:.*over 2048 bytes/u, remedy: /correct the template/u },
    notChecked: ['session length', 'cors', 'template policies'],
  },
  {
    fault: 'a template that is wider than the role',
    scenario: { rolePolicies: allow('oss:PutObject', 'oss:DeleteObject') },
    plant(t) {
      const wide = { ...statement('users/${jwt:sub}/*'), Action: ['oss:PutObject', 'oss:GetObject'] }
      const can = ['PutObject users/alice/1.jpg', 'GetObject users/alice/1.jpg']
      return policies(t, { policy: { Version: '3', Statement: [wide] }, examples: [{ ...EXAMPLE, can }] })
    },
    probe: true,
    want: {
      name: 'probe mine',
      message: /the role does not allow oss:GetObject on users\/alice\//u,
      remedy: /allow oss:GetObject there in the policy of the role, or take it out of the template/u,
    },
  },
  {
    fault: 'a bucket that does not exist',
    plant: () => ({ OSS_BUCKET: 'another-bucket' }),
    want: {
      name: 'bucket',
      message: /no bucket another-bucket/u,
      remedy: /create it/u,
      settings: ['OSS_BUCKET', 'OSS_REGION'],
    },
    notChecked: ['cors'],
  },
  {
    fault: 'a bucket in another region',
    scenario: { bucketRegion: 'cn-east-2' },
    want: {
      name: 'bucket',
      message: /not in cn-north-1 but in cn-east-2/u,
      remedy: /set the region of the bucket, cn-east-2/u,
    },
    notChecked: ['cors'],
  },
  {
    fault: 'a region that is not that of the endpoint',
    plant: () => ({ OSS_REGION: 'cn-east-1' }),
    want: {
      name: 'bucket',
      message: /not in cn-east-1 but in cn-north-1/u,
      remedy: /set the region/u,
      settings: ['OSS_REGION', 'OSS_ENDPOINT'],
    },
    notChecked: ['cors'],
  },
  {
    fault: 'OSS that cannot be reached',
    plant: () => ({ OSS_ENDPOINT: 'http://127.0.0.1:1' }),
    want: { name: 'oss', message: /nothing listens there/u, remedy: /host and port/u, settings: ['OSS_ENDPOINT'] },
    notChecked: ['bucket', 'cors'],
  },
  {
    fault: 'OSS that never answers',
    plant(_t, { oss }) {
      oss.faults.set({ kind: 'hang' })
      return { STS_TIMEOUT_MS: '1000' }
    },
    want: { name: 'oss', message: /did not answer in time/u, remedy: /firewall, route and proxy/u },
    notChecked: ['bucket', 'cors'],
  },
  {
    fault: 'a bucket without CORS rules',
    plant(_t, { oss }) {
      for (const bucket of oss.store.values()) bucket.cors.rules = undefined
      return {}
    },
    want: {
      name: 'cors',
      message: /pages of https:\/\/app\.example\.com may not send/u,
      remedy: /add a CORS rule to test-app: AllowedOrigin/u,
    },
  },
  {
    fault: 'CORS rules without a method that templates allow',
    plant(_t, { oss }) {
      for (const { cors } of oss.store.values()) {
        cors.rules = cors.rules?.map((rule) => ({ ...rule, methods: ['GET', 'POST', 'DELETE'] }))
      }
      return {}
    },
    want: {
      name: 'cors',
      message: /may not send PUT with the headers of SDKs/u,
      remedy: new RegExp(`AllowedOrigin ${ORIGIN}`, 'u'),
    },
  },
  {
    fault: 'a key server that is down',
    plant: () => ({ JWT_SECRET: '', JWT_JWKS_URL: 'http://127.0.0.1:1/keys' }),
    want: {
      name: 'issuer app',
      message: /no key set.*nothing listens there/u,
      remedy: /host and port/u,
      settings: ['JWT_JWKS_URL'],
    },
  },
  {
    fault: 'a key server that answers something else',
    plant: (t) => jwks(t, '<html>'),
    want: {
      name: 'issuer app',
      message: /did not answer with JSON/u,
      remedy: /compare the address/u,
      settings: ['JWT_JWKS_URL'],
    },
  },
  {
    fault: 'a key server that never answers',
    plant: async (t) => ({
      JWT_SECRET: '',
      JWT_JWKS_URL: `${await listen(t, () => {})}/keys`,
      JWT_JWKS_TIMEOUT_MS: '200',
    }),
    want: { name: 'issuer app', message: /did not answer in time/u, remedy: /firewall, route and proxy/u },
  },
  {
    fault: 'an empty key set',
    plant: (t) => jwks(t, '{"keys":[]}'),
    want: {
      name: 'issuer app',
      message: /no key that can be used/u,
      remedy: /publish a public key/u,
      settings: ['JWT_JWKS_URL'],
    },
  },
  {
    fault: 'a key set without a key for the configured algorithms',
    plant: async (t) => ({
      ...(await jwks(t, JSON.stringify({ keys: [jwk('a', keys.p256.publicKey)] }))),
      JWT_ALGORITHMS: 'RS256',
    }),
    want: {
      name: 'issuer app',
      message: /keys for ES256, and none for RS256/u,
      remedy: /set the algorithms/u,
      settings: ['JWT_ALGORITHMS', 'JWT_JWKS_URL'],
    },
  },
  {
    fault: 'a wrong password of Redis',
    redis: true,
    plant: async (t) =>
      redisAt(`redis://:SENTINEL-wrong@127.0.0.1:${(await redisServer(t, '--requirepass', 'right')).port}`),
    want: {
      name: 'redis',
      message: /refuses the password or the user/u,
      remedy: /set user and password/u,
      settings: ['REDIS_URL'],
    },
  },
  {
    fault: 'a missing password of Redis',
    redis: true,
    plant: async (t) => redisAt((await redisServer(t, '--requirepass', 'right')).url),
    want: { name: 'redis', message: /asks for a password/u, remedy: /set user and password/u, settings: ['REDIS_URL'] },
  },
  {
    fault: 'a user of Redis who may not run scripts',
    redis: true,
    plant: async (t) =>
      redisAt(
        `redis://me:pw@127.0.0.1:${(await redisServer(t, '--user', 'me', 'on', '>pw', '~*', '+@all', '-eval')).port}`,
      ),
    want: { name: 'redis', message: /does not let this user run the scripts/u, remedy: /oss-vend:\*/u },
  },
  {
    fault: 'a Redis that is down',
    plant: () => redisAt('redis://127.0.0.1:1'),
    want: {
      name: 'redis',
      message: /cannot reach 127\.0\.0\.1:1: nothing listens there/u,
      remedy: /host and port/u,
      settings: ['REDIS_URL'],
    },
  },
  {
    fault: 'a Redis that never answers',
    redis: true,
    async plant(t) {
      const redis = await redisServer(t)
      redis.pause()
      return redisAt(redis.url)
    },
    hurry: true,
    want: { name: 'redis', message: /did not answer within 5 seconds/u, remedy: /firewall/u },
  },
  {
    fault: 'a Redis that does not speak TLS',
    redis: true,
    plant: async (t) => redisAt(`rediss://127.0.0.1:${(await redisServer(t)).port}`),
    hurry: true,
    want: { name: 'redis', message: /127\.0\.0\.1/u, remedy: /./u, settings: ['REDIS_URL'] },
  },
]

for (const {
  fault,
  scenario,
  plant,
  probe = false,
  aheadMs = 0,
  hurry = false,
  redis,
  want,
  notChecked = [],
} of ROWS) {
  t.test(fault, redis ? needsRedis : {}, async (t) => {
    const { sandbox, env } = await soundCloud(t, scenario)
    const changes = await plant?.(t, sandbox)
    const now = () => Date.now() + aheadMs
    const after = (ms: number, callback: () => void) => systemClock().after(hurry && ms === 5000 ? 500 : ms, callback)
    const clock = { ...systemClock(now), after }
    const { exitCode, lines, out, named } = await diagnose({ ...env, ...changes }, { probe }, { now, clock })
    t.equal(exitCode, 1)
    t.strictSame([...new Set(named('failed'))], [want.name], 'this is the only cross')
    const [cross] = lines.filter(({ status }) => status === 'failed')
    t.match(cross, { message: want.message, remedy: want.remedy, ...(want.settings && { settings: want.settings }) })
    const missing = named('not_checked')
    for (const name of notChecked) t.ok(missing.includes(name), `${name} is not checked, and not passed`)
    t.notMatch(out, /SENTINEL/u)
    t.strictSame(
      [...sandbox.oss.store.values()].flatMap((bucket) => bucket.keys()),
      [],
      'no object is left behind',
    )
  })
}
