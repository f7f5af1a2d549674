import { rename, writeFile } from 'node:fs/promises'
import t from 'tap'
import { SANDBOX_KEYS } from '../sandbox/world.ts'
import { templateText } from './helpers/templates.ts'
import { startTwo } from './helpers/two-targets.ts'
import { until } from './helpers/until.ts'
import { metric } from './helpers/vending.ts'

t.test('a silent STS leaves the other target alone', async (t) => {
  const { app, acme, vend, metrics } = await startTwo(t, { STS_CONNECTIONS: '2' })
  acme.sts.faults.set({ kind: 'hang' })
  let answered = 0
  const waiting = Array.from({ length: 6 }, async (_, i) => {
    const { statusCode } = await vend('acme', { sub: `caller-${i}` })
    answered++
    return statusCode
  })
  await until(async () => (await metric(metrics, 'oss_vend_sts_queue_length', { target: 'acme' })) > 0)
  for (let i = 0; i < 6; i++) t.equal((await vend('beta', { sub: `caller-${i}` })).statusCode, 200)
  t.equal(answered, 0, 'nobody at the silent one has an answer yet')
  t.equal(await metric(metrics, 'oss_vend_sts_calls_running', { target: 'acme' }), 2)
  t.equal(await metric(metrics, 'oss_vend_sts_calls_total', { target: 'beta', outcome: 'ok' }), 6)
  t.equal(await metric(metrics, 'oss_vend_sts_calls_total', { target: 'acme' }), 0)
  await app.close()
  for (const status of await Promise.all(waiting)) t.ok(status >= 500, `${status}`)
})

t.test('the breaker opens for its own target', async (t) => {
  const { acme, vend, metrics } = await startTwo(t)
  acme.sts.faults.set({ kind: 'status', status: 500 })
  for (let i = 0; i < 3; i++) await vend('acme', { sub: `caller-${i}` })
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { target: 'acme', state: 'open' }), 1)
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { target: 'beta', state: 'open' }), 0)
  t.equal((await vend('beta')).statusCode, 200)
  acme.sts.faults.set(undefined)
})

t.test('the keys of one target change, and the other keeps its own', async (t) => {
  const { acme, beta, dir, vend, timers, logs, metrics } = await startTwo(t, {}, { manualClock: true })
  const write = async (content: string) => {
    await writeFile(`${dir}/beta-sk~`, content)
    await rename(`${dir}/beta-sk~`, `${dir}/beta-sk`)
    for (let i = 0; i < 16; i++) await timers.tick(2000)
  }
  const outcomes = (target: string, result: string) =>
    metric(metrics, 'oss_vend_secret_reloads_total', { secret: 'sts_keys', target, result })
  await write('SANDBOX_SECRET_OF_ANOTHER')
  t.equal(await outcomes('beta', 'refused'), 1)
  t.match(
    logs.lines().find(({ secret }) => secret === 'sts_keys'),
    { target: 'beta', result: 'refused' },
  )
  for (const policy of ['acme', 'beta']) t.equal((await vend(policy)).statusCode, 200, policy)
  t.equal(beta.sts.asked.length, 1, 'the refused pair signs for nobody')
  t.strictSame([await outcomes('acme', 'refused'), acme.sts.asked.length], [0, 1], 'and no probe goes to another STS')
})

t.test('a target that starts with a wrong key works once its file has the right one', async (t) => {
  const { dir, vend, timers, metrics, logs } = await startTwo(
    t,
    {},
    {
      manualClock: true,
      betaSecret: 'SANDBOX_OF_ANOTHER',
    },
  )
  const refused = await vend('beta')
  t.equal(refused.statusCode, 502)
  t.notMatch(refused.body, /target/u, 'the caller does not learn of targets')
  t.match(
    logs.lines().find(({ msg }) => msg === 'refused'),
    { policy: 'beta', target: 'beta', upstream: { status: 401 } },
    'and the log names the one that refused',
  )
  t.equal((await vend('acme')).statusCode, 200)
  await writeFile(`${dir}/beta-sk`, SANDBOX_KEYS.testIam.secretKey)
  for (let i = 0; i < 16; i++) await timers.tick(2000)
  t.equal(await metric(metrics, 'oss_vend_secret_reloads_total', { target: 'beta', result: 'taken' }), 1)
  t.equal(await metric(metrics, 'oss_vend_secret_reloads_total', { target: 'acme' }), 0)
  t.equal((await vend('beta', { sub: 'bob' })).statusCode, 200)
})

t.test('a changed template that names no known target is refused, and the old one stays', async (t) => {
  const { dir, vend, reload, logs } = await startTwo(t)
  await writeFile(`${dir}/policies/acme.yaml`, templateText({ target: 'gamma' }))
  await reload()
  const refused = logs.lines().find(({ msg }) => msg === 'policies refused, the old ones stay')
  t.match(refused?.findings, [/no target is called gamma/u])
  t.equal((await vend('acme')).json().oss.bucket, 'test-app')
})
