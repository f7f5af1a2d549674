import { once } from 'node:events'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { build, environment } from './helpers/build.ts'
import { start } from './helpers/process.ts'
import { statement, templateText } from './helpers/templates.ts'
import { manualTimers } from './helpers/timers.ts'
import { claims, mint } from './helpers/tokens.ts'

const good = (folder = 'users') =>
  templateText()
    .replace('/users/', `/${folder}/`)
    .replace('"d"', JSON.stringify(`Uploads into ${folder}.`))

/** The app on a directory of templates of its own, looked at only when it is told to. */
async function serve(t: Test, files: Record<string, string>) {
  const directory = t.testdir(files)
  const metrics = new Registry()
  const { clock } = manualTimers()
  const env = { POLICIES_DIR: directory }
  const { app, reload, logs } = await build(t, { env, dependencies: { metrics, clock } })
  return {
    directory,
    reload,
    logs,
    async vend(policy: string): Promise<string> {
      const response = await app.inject({
        method: 'POST',
        url: '/v1/credentials',
        headers: { authorization: `Bearer ${mint(claims())}` },
        payload: { policy },
      })
      return response.statusCode === 200 ? response.json().oss.prefixes.join() : response.json().code
    },
    async listed(): Promise<string[]> {
      const headers = { authorization: `Bearer ${mint(claims())}` }
      const response = await app.inject({ url: '/v1/policies', headers })
      return response.json().policies.map(({ name }: { name: string }) => name)
    },
    /** `<name>{<labels>} <value>` of every metric about templates. */
    async counted(): Promise<string[]> {
      const text = await metrics.metrics()
      return text.split('\n').filter((line) => /^oss_vend_polic/u.test(line))
    },
    /** What was said with this message. */
    said: (message: string) => logs.lines().filter(({ msg }) => msg === message),
  }
}

const counts = (loaded: number, refused: number, templates: number) =>
  [
    `oss_vend_policy_loads_total{outcome="loaded"} ${loaded}`,
    ...(refused > 0 ? [`oss_vend_policy_loads_total{outcome="refused"} ${refused}`] : []),
    `oss_vend_policy_templates ${templates}`,
  ].toSorted()

t.test('templates change under a service that runs', async (t) => {
  const { directory, reload, vend, listed, counted, said } = await serve(t, { 'a.yaml': good(), 'b.yaml': good() })
  const stale = async () => (await counted()).filter((line) => line.startsWith('oss_vend_policies_stale'))
  const loads = async () => (await counted()).filter((line) => !line.startsWith('oss_vend_policies_stale')).toSorted()
  t.equal(await vend('a'), 'users/alice/')
  t.strictSame(await loads(), counts(1, 0, 2))
  t.strictSame(await stale(), ['oss_vend_policies_stale 0'])

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

  writeFileSync(`${directory}/c.yaml`, good().replace('{jwt:sub}/*', '{jwt:sub}*'))
  writeFileSync(`${directory}/a.yaml`, good('new'))
  await reload()
  t.equal(await vend('a'), 'files/alice/', 'all or nothing')
  t.strictSame(await loads(), counts(3, 1, 3), 'what is served is counted, not what was refused')
  t.strictSame(await stale(), ['oss_vend_policies_stale 1'])
  t.match(said('policies refused, the old ones stay'), [{ level: 50, errors: 1, findings: [`${directory}/c.yaml:1:`] }])
  t.match(said('policies refused, the old ones stay')[0]?.findings, [/error variable-before-wildcard: .* → put a \//u])

  writeFileSync(`${directory}/c.yaml`, good())
  await reload()
  t.equal(await vend('a'), 'new/alice/')
  t.strictSame(await loads(), counts(4, 1, 3))
  t.strictSame(await stale(), ['oss_vend_policies_stale 0'])
  t.match(said('policies loaded').at(-1), { level: 30, policies: ['a', 'c', 'd'], templates: 3 })
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

t.test('whatever stands in the directory is one clear error, and the service goes on', async (t) => {
  const { allow, policy } = JSON.parse(good())
  const yaml = (description: string) =>
    `${description}\nallow: ${JSON.stringify(allow)}\npolicy: ${JSON.stringify(policy)}\n`
  const evil = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`p${n}`, { pattern: '(a*)*a*a*b' }]))
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let n = 1; n < 12; n++)
    bomb.push(
      `a${n}: &a${n} [${Array(9)
        .fill(`*a${n - 1}`)
        .join(', ')}]`,
    )
  type Row = { name: string; put: (file: string) => void; want: string | RegExp; place?: RegExp }
  const text = (content: string | Buffer) => (file: string) => writeFileSync(file, content)
  const rows: Row[] = [
    { name: 'bad YAML', put: text('description: [\n  a: }\n'), want: /^\S+:\d+:\d+: error syntax: / },
    { name: 'tabs', put: text('a:\n\tb: 1\n'), want: /^\S+:2:1: error syntax: / },
    {
      name: 'a key twice',
      put: text('description: a\ndescription: b\n'),
      want: /:2:1: error syntax: Map keys must be unique/,
    },
    { name: 'aliases that multiply', put: text(bomb.join('\n')), want: /: error syntax: uses too many aliases/ },
    {
      name: 'an alias of itself',
      put: text(yaml('description: &a [*a]')),
      want: /:1:18: error syntax: \*a stands in what it stands for/,
    },
    { name: 'an alias of nothing', put: text('a: *b\n'), want: /:1:4: error syntax: there is no anchor &b before it/ },
    { name: '5 MB', put: text(`# ${'x'.repeat(5 * 1024 * 1024)}`), want: /: error file: is larger than 65536 bytes/ },
    { name: 'a directory', put: (file) => mkdirSync(file), want: /x\.yaml: error file: is not a readable file/ },
    {
      name: 'a link to itself',
      put: (file) => symlinkSync(file, file),
      want: /x\.yaml: error file: is not a readable file/,
    },
    {
      name: 'a link to nowhere',
      put: (file) => symlinkSync('nowhere', file),
      want: /: error file: is not a readable file/,
    },
    {
      name: 'a link to a device',
      put: (file) => symlinkSync('/dev/zero', file),
      want: /: error file: is not a readable file/,
    },
    { name: 'invalid UTF-8', put: text(Buffer.from([0x61, 0xc3, 0x28])), want: /x\.yaml: error file: is not UTF-8/ },
    {
      name: 'a surrogate in UTF-8',
      put: text(Buffer.from([0xed, 0xa0, 0x80])),
      want: /x\.yaml: error file: is not UTF-8/,
    },
    {
      name: 'lists that are nested deeply',
      put: text('['.repeat(60_000)),
      want: /: error syntax: is nested too deeply/,
    },
    {
      name: 'mappings that are nested deeply',
      put: text('{a: '.repeat(16_000)),
      want: /: error syntax: is nested too deeply/,
    },
    {
      name: 'blocks that are nested deeply',
      put: text(`${'- '.repeat(30_000)}x`),
      want: /: error syntax: is nested too deeply/,
    },
    {
      name: 'lines that are nested deeply',
      put: text(
        yaml(`description:\n${Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth + 1)}a:`).join('\n')}`),
      ),
      want: /:1:1: error schema: description: /,
    },
    {
      name: 'a pattern with a reference, which the analysis throws over',
      put: text(good().replace('{', `{"params":{"a":{"pattern":"([a-z]+)${'\\\\'}1"}},`)),
      want: /: error pattern-backtracks: params\.a\.pattern: /,
    },
    {
      name: 'many patterns that backtrack',
      put: text(good().replace('{', `{"params":${JSON.stringify(evil)},`)),
      want: /: error (?:pattern-backtracks|schema): params/,
    },
    { name: 'nothing', put: text(''), want: /: error schema: / },
    { name: 'NUL', put: text('\0'.repeat(1000)), want: /: error / },
    { name: 'two documents', put: text(`${good()}\n---\n${good()}`), want: /: error syntax: / },
    { name: 'an unknown tag', put: text('description: !!js/function x\n'), want: /: error syntax: / },
    {
      name: 'a merge of a prototype',
      put: text('__proto__: { allow: { issuer: app } }\n'),
      want: /error syntax: __proto__/,
    },
    {
      name: 'an unknown key',
      put: text(good().replace('{', '{"alow":{},')),
      want: /:1:2: error schema: alow: is not a known key/,
    },
  ]
  const { directory, reload, vend, said } = await serve(t, { 'a.yaml': good() })
  const file = `${directory}/x.yaml`
  for (const { name, put, want } of rows) {
    await t.test(name, async (t) => {
      const before = said('policies refused, the old ones stay').length
      put(file)
      const started = performance.now()
      await reload()
      t.ok(performance.now() - started < 3000, 'in reasonable time')
      const refusals = said('policies refused, the old ones stay').slice(before)
      t.equal(refusals.length, 1)
      t.match(refusals, [{ errors: 1, findings: [want] }])
      t.match(refusals[0]?.findings, [file], 'which names the file')
      t.ok(JSON.stringify(refusals).length < 2000, 'and is short')
      t.equal(await vend('a'), 'users/alice/')
      rmSync(file, { recursive: true, force: true })
    })
  }
  await reload()
  t.match(said('policies loaded').at(-1), { templates: 1 })
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
  const until = Date.now() + 20_000
  while (loads() < 2 && Date.now() < until) {
    await tick(2000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.equal(loads(), 2)
})

t.test('SIGHUP', async (t) => {
  const directory = t.testdir({ policies: { 'a.yaml': good() } })
  const policies = `${directory}/policies`
  const env = { ...environment, PORT: '0', POLICIES_DIR: policies }
  const child = start(t, env, directory)
  let log = ''
  child.stdout.on('data', (chunk) => {
    log += chunk
  })
  const until = async (wanted: () => unknown) => {
    const end = Date.now() + 20_000
    while (!wanted() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const address = () => /listening at (http:[^"]+)/u.exec(log)?.[1]
  await until(address)
  const url = address()
  const listed = async () => {
    const response = await fetch(`${url}/v1/policies`, { headers: { authorization: `Bearer ${mint(claims())}` } })
    const { policies } = JSON.parse(await response.text())
    return policies.map(({ name }: { name: string }) => name).join()
  }
  /** Sends the signal, and waits until this has been said once more. */
  const hangUp = async (message: string) => {
    const times = () => log.split(`"msg":"${message}"`).length
    const before = times()
    child.kill('SIGHUP')
    await until(() => times() > before)
    t.equal(times(), before + 1, message)
  }
  t.equal(await listed(), 'a')
  writeFileSync(`${policies}/b.yaml`, good())
  t.equal(await listed(), 'a')
  await hangUp('policies loaded')
  t.equal(await listed(), 'a,b')
  writeFileSync(`${policies}/c.yaml`, 'description: [\n')
  rmSync(`${policies}/a.yaml`)
  await hangUp('policies refused, the old ones stay')
  t.equal(await listed(), 'a,b', 'the old ones stay')
  t.match(log, `${policies}/c.yaml:2:1: error syntax`)
  rmSync(`${policies}/c.yaml`)
  await hangUp('policies loaded')
  t.equal(await listed(), 'b')
  t.notMatch(log, /SENTINEL|eyJ[\w-]{8,}\./u, 'no secret in it')
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
})
