import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { Environment } from '../../../src/config/environment.ts'
import { jwk } from '../../helpers/key-servers.ts'
import { listen } from '../../helpers/listen.ts'
import { redisServer } from '../../helpers/redis.ts'
import { statement } from '../../helpers/templates.ts'
import { keys } from '../../helpers/tokens.ts'
import { plantFaults, policies } from './fault.ts'

const jwks = async (t: Test, body: string) => ({
  JWT_SECRET: '',
  JWT_JWKS_URL: `${await listen(t, (_request, response) => response.end(body))}/keys`,
})
const redisAt = (url: string): Environment => ({
  REDIS_URL: url,
  CACHE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
})

plantFaults([
  {
    fault: 'an audit file that is a folder',
    plant: (t) => ({ AUDIT_LOG: t.testdir({}) }),
    want: {
      name: 'audit',
      message: /cannot be written: ENOTREG/u,
      remedy: /let the user of the service/u,
      settings: ['AUDIT_LOG'],
    },
  },
  {
    fault: 'an audit file in a folder that is not there',
    plant: (t) => ({ AUDIT_LOG: `${t.testdir({})}/none/audit.log` }),
    want: { name: 'audit', message: /cannot be written: ENOENT/u, remedy: /./u, settings: ['AUDIT_LOG'] },
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
    fault: 'an issuer that is down, whose key set would be discovered',
    plant: () => ({ JWT_SECRET: '', JWT_ISSUER: 'https://127.0.0.1:1' }),
    want: {
      name: 'issuer app',
      message: /no key set.*\(discovery\): .*nothing listens there/u,
      remedy: /host and port/u,
      settings: ['JWT_ISSUER', 'JWT_JWKS_URL'],
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
    fault: 'a database that Redis does not have',
    redis: true,
    plant: async (t) => redisAt(`${(await redisServer(t)).url}/99`),
    want: { name: 'redis', message: /has no database of this number/u, remedy: /correct the number/u },
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
    want: { name: 'redis', message: /did not answer in time/u, remedy: /firewall/u },
  },
  {
    fault: 'a Redis that does not speak TLS',
    redis: true,
    plant: async (t) => redisAt(`rediss://127.0.0.1:${(await redisServer(t)).port}`),
    hurry: true,
    want: {
      name: 'redis',
      message: /did not answer in time/u,
      remedy: /whether it speaks TLS/u,
      settings: ['REDIS_URL'],
    },
  },
])
