import { Registry } from 'prom-client'
import type { Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { build, type Overrides } from '../helpers/build.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, ISSUER, keys, mint } from '../helpers/tokens.ts'
import { metric } from '../helpers/vending.ts'

/** Two issuers, `app` and `partner`, in an issuers file, and a file of the denylist. */
export function twoIssuers(t: Test, deny: string): Environment {
  const audience = 'https://api.example.test'
  const entries = [
    { name: 'app', issuer: ISSUER, audience, secret: keys.hmac },
    { name: 'partner', issuer: PARTNER, audience, secret: PARTNER_SECRET },
  ]
  const dir = t.testdir({ deny, issuers: JSON.stringify(entries), policies: { 'user-upload.json': TEMPLATE } })
  return {
    JWT_ISSUERS_FILE: `${dir}/issuers`,
    POLICIES_DIR: `${dir}/policies`,
    DENY_FILE: `${dir}/deny`,
    JWT_ISSUER: '',
    JWT_AUDIENCE: '',
    JWT_SECRET: '',
  }
}

const PARTNER = 'https://partner.example.test'
const PARTNER_SECRET = 'another-secret-of-more-than-thirty-two-bytes-for-tests-only-98765'
const TEMPLATE = JSON.stringify({
  description: 'd',
  allow: { claims: { scope: ['oss.upload'] } },
  durationSeconds: 3600,
  policy: {
    Version: '3',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['oss:PutObject'],
        Resource: ['jrn:oss:*:${account}:${bucket}/${issuer}/${jwt:sub}/*'],
      },
    ],
  },
  examples: [{ caller: { sub: 'alice', scope: 'oss.upload' }, can: ['PutObject app/alice/1'] }],
})

/** A token of this subject, with this id. */
export const tokenOf = (sub = 'alice', jti?: string) => mint(claims({ sub, ...(jti !== undefined && { jti }) }))
export const tokenOfPartner = (sub = 'alice') => mint(claims({ sub, iss: PARTNER }), {}, PARTNER_SECRET)

const FORM = 'application/x-www-form-urlencoded'

/** One request for each way to be served. */
export function everyRoute(token: string, key = 'users/alice/a') {
  const authorization = `Bearer ${token}`
  const post = (url: string, payload: object) => ({ method: 'POST' as const, url, headers: { authorization }, payload })
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
    RoleSessionName: 'build-7',
    WebIdentityToken: token,
  })
  return {
    credentials: post('/v1/credentials', { policy: 'user-upload' }),
    fresh: post('/v1/credentials', { policy: 'user-upload', fresh: true }),
    policies: { method: 'GET' as const, url: '/v1/policies', headers: { authorization } },
    explain: post('/v1/policies/user-upload/explain', {}),
    container: {
      method: 'GET' as const,
      url: '/v1/aws/container-credentials/user-upload',
      headers: { authorization: token },
    },
    sts: {
      method: 'POST' as const,
      url: '/v1/aws/sts',
      headers: { 'content-type': FORM },
      payload: form.toString(),
    },
    urls: post('/v1/presigned-urls', { policy: 'user-upload', operation: 'PutObject', keys: [key] }),
    posts: post('/v1/presigned-posts', { policy: 'user-upload', key, maxBytes: 1000 }),
  }
}

/** The app, its timers by hand, and short words for what it answers. */
export async function denying(t: Test, { env = {}, dependencies = {}, ...more }: Overrides = {}) {
  const timers = manualTimers()
  const metrics = new Registry()
  const clock: Clock = { ...(dependencies.clock ?? systemClock()), every: timers.every }
  const built = await build(t, { ...more, env, dependencies: { metrics, ...dependencies, clock } })
  await built.app.ready()
  const vend = async (token = tokenOf()) => {
    const answer = await built.app.inject(everyRoute(token).credentials)
    return answer.statusCode === 200 ? 200 : `${answer.statusCode} ${answer.json().code}`
  }
  return {
    ...built,
    metrics,
    timers,
    vend,
    /** Looks at the file, as often as it takes to settle. */
    looks: async (times = 2) => {
      for (let look = 0; look < times; look++) await timers.tick(2000)
    },
    /** Looks at the shared list once. */
    poll: () => timers.tick(250),
    denied: (by: string) => metric(metrics, 'oss_vend_denied_total', { by }),
    entries: (source: string) => metric(metrics, 'oss_vend_deny_entries', { source }),
    stale: () => metric(metrics, 'oss_vend_deny_stale'),
    said: (message: string) => built.logs.lines().filter(({ msg }) => msg === message),
  }
}

export const STALE = 'the denylist is out of date: its old entries stay in force'
