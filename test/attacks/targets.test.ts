import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { fillIn } from '../../src/policy/grant/grant.ts'
import { cacheKey } from '../../src/sessions/cache-key.ts'
import { createTargets } from '../../src/targets.ts'
import { build, environment } from '../helpers/build.ts'
import { captureLogs } from '../helpers/logs.ts'
import { entry, targetsFile } from '../helpers/targets.ts'
import { caller, template, templateText } from '../helpers/templates.ts'
import { claims, mint } from '../helpers/tokens.ts'

const MAP = { 'acme-inc': 'acme', 'beta-ltd': 'beta', '7': 'beta' }
const CHOSEN = { from: 'param:org', map: MAP }
const POLICIES = {
  'fixed.yaml': templateText({ target: 'acme' }),
  'by-claim.yaml': templateText({ target: { from: 'jwt:tenant', map: MAP } }),
  'by-param.yaml': templateText({ target: CHOSEN, params: { org: {} } }),
  'own.yaml': templateText({ target: CHOSEN, params: { org: { oneOf: 'jwt:orgs' } } }),
  'usual.yaml': templateText({ target: CHOSEN, params: { org: { default: 'acme-inc' } } }),
}

/** The service with the targets acme and beta, whose sessions say in their token where they are from. */
async function start(t: Test) {
  const asked: string[] = []
  const source = (target: string) => ({
    async assumeRole({ durationSeconds = 0 }) {
      asked.push(target)
      return { accessKey: 'a', secretKey: 's', sessionToken: target, expiresAt: Date.now() + durationSeconds * 1000 }
    },
    close: async () => {},
  })
  const env = targetsFile(t, [entry('acme'), entry('beta')], POLICIES)
  const { app, logs } = await build(t, { env, dependencies: { source } })
  const headersOf = (more: object) => ({ authorization: `Bearer ${mint(claims({ sub: 'alice', ...more }))}` })
  const vend = (policy: string, params?: object, more: object = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: headersOf(more),
      payload: { policy, ...(params && { params }) },
    })
  return { app, asked, logs, vend, headersOf }
}

t.test('nobody reaches another target by an odd value', async (t) => {
  const { vend, asked } = await start(t)
  const odd = [
    'beta',
    'BETA-LTD',
    'beta-ltd ',
    ' beta-ltd',
    'beta-ltd\u0000',
    'bеta-ltd', // a Cyrillic e
    'beta‐ltd', // U+2010 in place of the hyphen
    'beta-ltd\u200b',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    '',
    '07',
    '7.0',
    '+7',
    '７',
  ]
  const structured: readonly unknown[] = [
    ['beta-ltd'],
    { 'beta-ltd': true },
    { toString: 'beta-ltd' },
    null,
    true,
    7.5,
    -7,
    [7],
    [[7]],
    7e300,
  ]
  for (const tenant of [...odd, ...structured]) {
    const { statusCode, body } = await vend('by-claim', undefined, { tenant })
    t.equal(statusCode, 403, JSON.stringify(tenant))
    t.notMatch(body, /acme|beta-ltd/u)
  }
  for (const org of [...odd, ...structured]) {
    t.ok([400, 422].includes((await vend('by-param', { org })).statusCode), JSON.stringify(org))
  }
  for (const params of [{ org: 'beta-ltd', target: 'beta' }, { org: 'beta-ltd', Org: 'acme-inc' }, ['beta-ltd']]) {
    t.equal((await vend('by-param', params)).statusCode, 400, JSON.stringify(params))
  }
  for (const params of [{ target: 'beta' }, { org: 'beta-ltd' }]) {
    t.equal((await vend('fixed', params)).statusCode, 400)
  }
  t.strictSame(asked, [])
})

t.test('a caller who chooses among its own organisations learns of no other', async (t) => {
  const { app, vend, asked, headersOf } = await start(t)
  const alice = { orgs: ['acme-inc', 'lost'] }
  t.equal((await vend('own', { org: 'acme-inc' }, alice)).json().credentials.sessionToken, 'acme')
  const texts = await Promise.all(
    ['beta-ltd', 'nobody', 'lost'].map(async (org) => {
      const answer = await vend('own', { org }, alice)
      t.not(answer.statusCode, 200)
      t.notMatch(answer.body, /acme|beta/u, org)
      return JSON.stringify({ ...answer.json(), requestId: '' })
    }),
  )
  t.equal(texts[0], texts[1], 'one that exists and one that does not are told in the same words')
  const list = await app.inject({ url: '/v1/policies', headers: headersOf(alice) })
  const { policies } = list.json()
  const own = policies.find(({ name = '' }) => name === 'own')
  t.strictSame(own.params.properties.org.enum, ['acme-inc'], 'what leads to no target is no choice')
  t.strictSame(asked, ['acme'])
})

t.test('a default chooses the target that the list of policies promises', async (t) => {
  const { app, vend, headersOf } = await start(t)
  const { policies } = (await app.inject({ url: '/v1/policies', headers: headersOf({}) })).json()
  t.strictSame(policies.find(({ name = '' }) => name === 'usual').params.required, [])
  t.equal((await vend('usual')).json().credentials?.sessionToken, 'acme')
  t.equal((await vend('usual', { org: 'beta-ltd' })).json().credentials?.sessionToken, 'beta')
})

/** The name in the caches, which replicas share by Redis, of alice's session at the first target of a file. */
function keyWith(t: Test, first: ReturnType<typeof entry>): string {
  const config = readConfig({ ...environment, ...targetsFile(t, [first, entry('other')]) })
  const { logger } = captureLogs()
  const dependencies = { logger, route: {}, clock: systemClock(), now: Date.now, random: Math.random }
  const target = createTargets(config, dependencies).get(first.name)
  if (!target) throw new Error('no such target')
  const mine = template({ target: first.name, allow: { claims: { sub: 'alice' } } })
  return cacheKey(target.scope, fillIn(mine, { caller: caller({ sub: 'alice' }) }, target.settings))
}

t.test('a target that is pointed elsewhere finds no session of before in a shared Redis', async (t) => {
  const before = keyWith(t, entry('acme'))
  t.equal(keyWith(t, entry('acme', { accessKey: 'another' })), before, 'new keys are no reason to ask again')
  const aws = {
    source: 'aws-sts',
    account: undefined,
    role: 'arn:aws:iam::111111111111:role/test-role',
    endpoint: 'https://s3.example.com',
  }
  const rows: [name: string, target: ReturnType<typeof entry>][] = [
    ['another role', entry('acme', { role: 'other-role' })],
    ['another account', entry('acme', { account: '222222222222' })],
    ['another bucket', entry('acme', { bucket: 'other-bucket' })],
    ['another STS', entry('acme', { stsEndpoint: 'http://127.0.0.1:2' })],
    ['another kind of STS', entry('acme', aws)],
    ['another name', entry('beta', { bucket: 'acme-bucket' })],
  ]
  const keys = new Set([before])
  for (const [name, target] of rows) {
    const key = keyWith(t, target)
    t.notOk(keys.has(key), name)
    keys.add(key)
  }
})
