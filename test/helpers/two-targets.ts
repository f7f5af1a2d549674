import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { startSandbox } from '../../sandbox/index.ts'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'
import { build } from './build.ts'
import { NO_SINGLE_TARGET } from './targets.ts'
import { templateText } from './templates.ts'
import { manualTimers } from './timers.ts'
import { claims, mint } from './tokens.ts'

const MAP = { 'acme-inc': 'acme', 'beta-ltd': 'beta' }
const EXAMPLE = { can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }
/** Templates of each target, and one that chooses by claim or by parameter. */
export const POLICIES = {
  'acme.yaml': templateText({ target: 'acme', examples: [{ caller: { sub: 'alice' }, ...EXAMPLE }] }),
  'beta.yaml': templateText({ target: 'beta', examples: [{ caller: { sub: 'alice' }, ...EXAMPLE }] }),
  'by-claim.yaml': templateText({
    target: { from: 'jwt:tenant', map: MAP },
    examples: Object.keys(MAP).map((tenant) => ({ caller: { sub: 'alice', tenant }, ...EXAMPLE })),
  }),
  'by-param.yaml': templateText({
    target: { from: 'param:tenant', map: MAP },
    params: { tenant: {} },
    examples: [{ caller: { sub: 'alice' }, params: { tenant: 'acme-inc' }, ...EXAMPLE }],
  }),
}

/** The service with two accounts, each a sandbox of its own. */
export async function startTwo(
  t: Test,
  env: Record<string, string> = {},
  { manualClock = false, betaSecret }: Readonly<{ manualClock?: boolean; betaSecret?: string }> = {},
) {
  const acme = await startSandbox()
  const beta = await startSandbox({ scenario: { accountId: '222222222222', bucket: 'beta-bucket' } })
  for (const sandbox of [acme, beta]) t.teardown(() => sandbox.close())
  const { accessKey, secretKey } = SANDBOX_KEYS.testIam
  const target = (name: string, { world, sts, oss }: typeof acme) => ({
    name,
    account: world.accountId,
    role: 'test-role',
    bucket: world.buckets[0],
    region: world.region,
    endpoint: oss.url,
    stsEndpoint: sts.url,
    accessKeyFile: `${name}-ak`,
    secretKeyFile: `${name}-sk`,
  })
  const dir = t.testdir({
    'targets.yaml': JSON.stringify([target('acme', acme), target('beta', beta)]),
    'acme-ak': accessKey,
    'acme-sk': secretKey,
    'beta-ak': accessKey,
    'beta-sk': betaSecret ?? secretKey,
    policies: POLICIES,
  })
  const files = { TARGETS_FILE: `${dir}/targets.yaml`, POLICIES_DIR: `${dir}/policies`, OPS_PORT: '0' }
  const metrics = new Registry()
  const timers = manualTimers()
  const built = await build(t, {
    env: { ...NO_SINGLE_TARGET, ...files, ...env },
    realSts: true,
    dependencies: { metrics, ...(manualClock && { clock: timers.clock }) },
  })
  await built.app.ready()
  const headersOf = (more: Record<string, unknown>) => ({
    authorization: `Bearer ${mint(claims({ sub: 'alice', ...more }))}`,
  })
  const post = (url: string, payload: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    built.app.inject({ method: 'POST', url, headers: headersOf(more), payload })
  const vend = (policy: string, more = {}, params?: Record<string, string>) =>
    post('/v1/credentials', { policy, ...(params && { params }) }, more)
  const list = (more = {}) => built.app.inject({ url: '/v1/policies', headers: headersOf(more) })
  return { ...built, acme, beta, dir, metrics, timers, post, vend, list }
}
