import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { build } from './helpers/build.ts'
import { statement, templateText } from './helpers/templates.ts'
import { manualTimers } from './helpers/timers.ts'
import { until } from './helpers/until.ts'
import { counts, good, serve } from './reload/served.ts'

t.test('templates change under a service that runs', async (t) => {
  const { directory, reload, vend, listed, counted, versions, said } = await serve(t, {
    'a.yaml': good(),
    'b.yaml': good(),
  })
  const stale = async () => (await counted()).filter((line) => line.startsWith('oss_vend_policies_stale'))
  const loads = async () => (await counted()).filter((line) => !line.startsWith('oss_vend_policies_stale')).toSorted()
  t.equal(await vend('a'), 'users/alice/')
  t.strictSame(await loads(), counts(1, 0, 2))
  t.strictSame(await stale(), ['oss_vend_policies_stale 0'])
  const first = await versions()
  t.equal(first.length, 1)

  writeFileSync(`${directory}/a.yaml`, good('files'))
  t.equal(await vend('a'), 'users/alice/', 'not before it is loaded')
  await reload()
  t.equal(await vend('a'), 'files/alice/')

  rmSync(`${directory}/b.yaml`)
  writeFileSync(`${directory}/c.yaml`, good())
  writeFileSync(`${directory}/d.yaml`, good())
  await reload()
  t.equal(await vend('b'), 'policy_not_found')
  t.equal(await vend('c'), 'users/alice/')
  t.strictSame(await listed(), ['a', 'c', 'd'])
  t.strictSame(await loads(), counts(3, 0, 3))
  const second = await versions()
  t.equal(second.length, 1, 'the old version is not shown any more')
  t.notSame(second, first)

  writeFileSync(`${directory}/c.yaml`, good().replace('{jwt:sub}/*', '{jwt:sub}*'))
  writeFileSync(`${directory}/a.yaml`, good('new'))
  await reload()
  t.equal(await vend('a'), 'files/alice/', 'all or nothing')
  t.strictSame(await loads(), counts(3, 1, 3), 'what is served is counted, not what was refused')
  t.strictSame(await versions(), second)
  t.strictSame(await stale(), ['oss_vend_policies_stale 1'])
  t.match(said('policies refused, the old ones stay'), [{ level: 50, errors: 1, findings: [`${directory}/c.yaml:1:`] }])
  t.match(said('policies refused, the old ones stay')[0]?.findings, [/error variable-before-wildcard: .* → put a \//u])

  writeFileSync(`${directory}/c.yaml`, good())
  await reload()
  t.equal(await vend('a'), 'new/alice/')
  t.strictSame(await loads(), counts(4, 1, 3))
  t.strictSame(await stale(), ['oss_vend_policies_stale 0'])
  t.match(said('policies loaded').at(-1), {
    level: 30,
    policies: ['a', 'c', 'd'],
    templates: 3,
    version: (await versions())[0],
  })
})

t.test('a warning is logged once over several reloads, and again when it comes back', async (t) => {
  const { directory, reload, said } = await serve(t, { 'a.yaml': good() })
  const warned = (rule: string) =>
    said('policy warning').filter(({ finding }) => String(finding).includes(` warning ${rule}: `)).length
  t.equal(warned('no-abort'), 1)
  await reload()
  writeFileSync(`${directory}/a.yaml`, `\n\n${good()}`)
  await reload()
  t.equal(warned('no-abort'), 1, 'nor when it has moved to another line')
  const mended = good().replace('"oss:PutObject"', '"oss:PutObject","oss:AbortMultipartUpload"')
  writeFileSync(`${directory}/a.yaml`, mended)
  await reload()
  t.equal(warned('no-abort'), 1)
  t.equal(warned('no-examples'), 1)
  writeFileSync(`${directory}/a.yaml`, good())
  await reload()
  t.equal(warned('no-abort'), 2)
  writeFileSync(`${directory}/b.yaml`, good())
  await reload()
  t.equal(warned('no-abort'), 3, 'of another file it is another')
})

t.test('dangers that templates accept are told at start with their reasons, and counted', async (t) => {
  const shared = (reason?: string) =>
    templateText({
      policy: { Version: '3', Statement: [statement('users/*'), statement('inbox/*')] },
      ...(reason !== undefined && {
        accept: { 'shared-write': reason, 'shared-and-personal': 'operators see to users' },
      }),
    })
  const { directory, reload, said, counted, vend } = await serve(t, {
    'a.yaml': good(),
    'ops.yaml': shared('a drop box'),
  })
  const metrics = async () => (await counted()).filter((line) => line.includes('accepted')).toSorted()
  const told = () => said('policy danger accepted').map(({ level, finding }) => [level, String(finding)])
  t.match(told().toSorted(), [
    [40, /ops\.yaml:1:\d+: accepted shared-and-personal: .* \(accepted: operators see to users\)$/u],
    [40, /ops\.yaml:1:\d+: accepted shared-write: .* on users\/\*.* \(accepted: a drop box\)$/u],
    [40, /ops\.yaml:1:\d+: accepted shared-write: .* on inbox\/\*.* \(accepted: a drop box\)$/u],
  ])
  t.strictSame(await metrics(), [
    'oss_vend_policy_accepted_findings{policy="ops",rule="shared-and-personal"} 1',
    'oss_vend_policy_accepted_findings{policy="ops",rule="shared-write"} 2',
  ])
  await reload()
  t.equal(told().length, 3, 'once')
  writeFileSync(`${directory}/ops.yaml`, shared('another reason'))
  await reload()
  t.equal(told().length, 5, 'and again with another reason')

  writeFileSync(`${directory}/ops.yaml`, shared())
  await reload()
  t.equal(await vend('ops'), 'users/,inbox/', 'without a reason the set is refused, and the old one stays')
  t.equal((await metrics()).length, 2)
  const [refused] = said('policies refused, the old ones stay')
  t.match(refused, { errors: 3, findings: [/say why: accept: \{ shared-write: "<reason>" \}/u] })

  rmSync(`${directory}/ops.yaml`)
  await reload()
  t.strictSame(await metrics(), [])
})

t.test('the timer looks for itself', async (t) => {
  const directory = t.testdir({ 'a.yaml': good() })
  const { clock, tick } = manualTimers()
  const { app, logs } = await build(t, { env: { POLICIES_DIR: directory }, dependencies: { clock } })
  await app.ready()
  const loads = () => logs.lines().filter(({ msg }) => msg === 'policies loaded').length
  t.equal(loads(), 1)
  writeFileSync(`${directory}/b.yaml`, good())
  // Looks at a directory come less often where they take long, so it may be the third that loads.
  await until(async () => {
    await tick(2000)
    return loads() === 2
  })
})
