import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CatalogueError, type Reload } from '../../src/policy/check/catalogue.ts'
import { fingerprint } from '../../src/policy/check/fingerprint.ts'
import type { LintSettings } from '../../src/policy/check/lint/rule.ts'
import { formatFinding } from '../../src/policy/template/finding.ts'
import { createLivePolicies } from '../../src/reload/policies.ts'
import { settings, templateText } from '../helpers/templates.ts'

const lintSettings: LintSettings = { ...settings, issuers: ['app'] }
const good = (description = 'd') => templateText({ description })
const BAD = 'description: [\n'

/** Live templates of a directory, with what was told of each load, as one word a load. */
async function live(directory: string, settings = lintSettings) {
  const reloads: Reload[] = []
  const policies = await createLivePolicies(
    directory,
    settings,
    (reload) => reloads.push(reload),
    () => 0,
  )
  return {
    ...policies,
    reloads,
    outcomes: () => reloads.map(({ outcome }) => outcome),
    /** The descriptions that are served, by name. */
    served: () => Object.fromEntries([...policies.current()].map(([name, { description }]) => [name, description])),
    /** Looks until the set has settled, as the timer does. */
    settle: async () => {
      await policies.look('clock')
      await policies.look('clock')
    },
  }
}

/** A directory as the kubelet writes a ConfigMap: files are links through `..data`, which is a link to a folder. */
function configMap(t: Test, files: Record<string, string>) {
  const directory = t.testdir({ '..1': files })
  symlinkSync('..1', `${directory}/..data`)
  for (const file of Object.keys(files)) symlinkSync(`..data/${file}`, `${directory}/${file}`)
  let version = 1
  return {
    directory,
    swap(files: Record<string, string>) {
      const folder = `..${++version}`
      mkdirSync(`${directory}/${folder}`)
      for (const [file, text] of Object.entries(files)) writeFileSync(`${directory}/${folder}/${file}`, text)
      symlinkSync(folder, `${directory}/..data_tmp`)
      renameSync(`${directory}/..data_tmp`, `${directory}/..data`)
      rmSync(`${directory}/..${version - 1}`, { recursive: true })
    },
  }
}

t.test('changes of a directory', async (t) => {
  type Row = { name: string; change: (directory: string) => void; want: Record<string, string> }
  const rows: Row[] = [
    { name: 'an edit in place', change: (d) => writeFileSync(`${d}/a.yaml`, good('new')), want: { a: 'new', b: 'd' } },
    { name: 'a new file', change: (d) => writeFileSync(`${d}/c.yaml`, good()), want: { a: 'd', b: 'd', c: 'd' } },
    { name: 'a file removed', change: (d) => rmSync(`${d}/a.yaml`), want: { b: 'd' } },
    { name: 'a file renamed', change: (d) => renameSync(`${d}/a.yaml`, `${d}/z.yaml`), want: { b: 'd', z: 'd' } },
    {
      name: 'a file put in the place of another',
      change: (d) => {
        writeFileSync(`${d}/.a.tmp`, good('x'))
        renameSync(`${d}/.a.tmp`, `${d}/a.yaml`)
      },
      want: { a: 'x', b: 'd' },
    },
    {
      name: 'the same size',
      change: (d) => writeFileSync(`${d}/a.yaml`, good('e')),
      want: { a: 'e', b: 'd' },
    },
  ]
  for (const { name, change, want } of rows) {
    t.test(name, async (t) => {
      const directory = t.testdir({ 'a.yaml': good(), 'b.yaml': good() })
      const before = await fingerprint(directory)
      const policies = await live(directory)
      await policies.settle()
      t.strictSame(policies.outcomes(), ['loaded'], 'nothing is loaded again for nothing')
      const held = policies.current()
      change(directory)
      t.not(await fingerprint(directory), before, 'the change shows')
      await policies.settle()
      t.strictSame(policies.served(), want)
      t.strictSame(policies.outcomes(), ['loaded', 'loaded'])
      t.strictSame([...held.keys()], ['a', 'b'], 'who holds the old set keeps it')
    })
  }
  t.test("the swap of a ConfigMap's link", async (t) => {
    const { directory, swap } = configMap(t, { 'a.yaml': good('one') })
    const policies = await live(directory)
    swap({ 'a.yaml': good('two') })
    await policies.settle()
    t.strictSame(policies.served(), { a: 'two' })
    swap({ 'a.yaml': BAD })
    await policies.settle()
    t.strictSame(policies.served(), { a: 'two' })
    swap({ 'a.yaml': good('three') })
    await policies.settle()
    t.strictSame(policies.served(), { a: 'three' })
    t.strictSame(policies.outcomes(), ['loaded', 'loaded', 'refused', 'loaded'])
  })
  t.test('a directory that is a link, and is pointed elsewhere and back', async (t) => {
    const root = t.testdir({ one: { 'a.yaml': good('one') }, two: { 'a.yaml': good('two') } })
    const point = (to: string) => {
      symlinkSync(to, `${root}/tmp`)
      renameSync(`${root}/tmp`, `${root}/now`)
    }
    point('one')
    const policies = await live(`${root}/now`)
    for (const to of ['two', 'one']) {
      point(to)
      await policies.settle()
      t.strictSame(policies.served(), { a: to })
    }
  })
})

t.test('a bad set is refused, the old one stays, and it is not tried again until it changes', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('old') })
  const policies = await live(directory)
  const held = policies.current()
  writeFileSync(`${directory}/a.yaml`, good('new'))
  writeFileSync(`${directory}/b.yaml`, BAD)
  await policies.settle()
  await policies.settle()
  await policies.settle()
  t.strictSame(policies.outcomes(), ['loaded', 'refused'])
  t.equal(policies.current(), held, 'nothing of it came in, not even what is good')
  const last = policies.reloads.at(-1)
  t.match(last?.outcome === 'refused' && last.errors.map(formatFinding), [`${directory}/b.yaml:2:1: error syntax`])

  writeFileSync(`${directory}/b.yaml`, `${BAD}#`)
  await policies.settle()
  t.strictSame(policies.outcomes(), ['loaded', 'refused', 'refused'], 'it changed')
  await policies.look('asked')
  t.equal(policies.outcomes().length, 4, 'whoever asks for it gets another try')
  rmSync(`${directory}/b.yaml`)
  await policies.settle()
  t.strictSame(policies.served(), { a: 'new' })
})

t.test('what would refuse a start refuses a reload', async (t) => {
  const rows: { name: string; change: (directory: string) => void }[] = [
    { name: 'no file is left', change: (d) => rmSync(`${d}/a.yaml`) },
    { name: 'no directory is left', change: (d) => rmSync(d, { recursive: true }) },
    { name: 'a leak', change: (d) => writeFileSync(`${d}/a.yaml`, good().replace('{jwt:sub}/*', '{jwt:sub}*')) },
    {
      name: 'two templates that collide',
      change: (d) => {
        const team = good().replace('users/${jwt:sub}', 'users/x/${jwt:team}').replace('{', '{"sharedBy":"team",')
        writeFileSync(`${d}/b.yaml`, team)
      },
    },
    {
      name: 'an example that does not hold',
      change: (d) =>
        writeFileSync(`${d}/a.yaml`, templateText({ examples: [{ caller: { sub: 'a' }, can: ['PutObject x'] }] })),
    },
  ]
  for (const { name, change } of rows) {
    t.test(name, async (t) => {
      const directory = `${t.testdir({ d: { 'a.yaml': good() } })}/d`
      const policies = await live(directory)
      change(directory)
      await policies.settle()
      t.strictSame(policies.outcomes(), ['loaded', 'refused'])
      t.strictSame(policies.served(), { a: 'd' })
      const last = policies.reloads.at(-1)
      t.equal(last?.outcome === 'refused' && last.errors.length, 1, 'with one error')
      mkdirSync(directory, { recursive: true })
      rmSync(`${directory}/b.yaml`, { force: true })
      writeFileSync(`${directory}/a.yaml`, good('mended'))
      await policies.settle()
      t.strictSame(policies.served(), { a: 'mended' })
      await t.rejects(
        createLivePolicies(`${directory}/nowhere`, lintSettings, () => {}),
        CatalogueError,
      )
    })
  }
})

t.test('a set that is still being written is left alone', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('old') })
  const policies = await live(directory)
  for (let step = 1; step <= 4; step++) {
    writeFileSync(`${directory}/a.yaml`, good('x'.repeat(step)))
    await policies.look('clock')
    t.strictSame(policies.served(), { a: 'old' }, 'it has changed since the last look')
  }
  await policies.look('clock')
  t.strictSame(policies.served(), { a: 'xxxx' }, 'it has settled')
  t.equal(policies.outcomes().length, 2)
})

/** Settings that call a function in the middle of a load, where the issuers are asked for. */
const hooked = (during: () => void): LintSettings => ({
  ...lintSettings,
  get issuers() {
    during()
    return ['app']
  },
})

t.test('a set that changes while it is read is not swapped in', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('a1'), 'b.yaml': good('b1') })
  let writes = 0
  let change = () => {}
  const policies = await live(
    directory,
    hooked(() => change()),
  )
  t.test('it is read again, and then is one set', async (t) => {
    change = () => {
      change = () => {}
      writeFileSync(`${directory}/a.yaml`, good('a22'))
      writeFileSync(`${directory}/b.yaml`, good('b22'))
    }
    await policies.look('asked')
    t.strictSame(policies.served(), { a: 'a22', b: 'b22' })
    t.equal(policies.outcomes().length, 2, 'and half of it was never told')
  })
  t.test('one that never settles', async (t) => {
    change = () => writeFileSync(`${directory}/a.yaml`, good('a'.repeat((writes++ % 50) + 5)))
    await policies.look('asked')
    t.strictSame(policies.served(), { a: 'a22', b: 'b22' })
    t.strictSame(policies.outcomes().slice(2), ['refused'], 'is told: whoever asked would wait for it')
    t.ok(writes < 500, 'is not read forever')
    change = () => {}
    await policies.settle()
    t.strictSame(policies.outcomes().slice(2), ['refused', 'loaded'], 'and is loaded when it does')
  })
})

t.test('what is no template may change as it likes', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1'), 'notes.log': '' })
  const policies = await live(
    directory,
    hooked(() => writeFileSync(`${directory}/notes.log`, String(performance.now()))),
  )
  writeFileSync(`${directory}/a.yaml`, good('22'))
  await policies.look('asked')
  t.strictSame(policies.served(), { a: '22' })
})

t.test('two reloads at once: the second sees what was written before it was asked for', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1') })
  const policies = await live(directory)
  const first = policies.look('asked')
  writeFileSync(`${directory}/a.yaml`, good('22'))
  const second = policies.look('asked')
  await policies.look('clock')
  await Promise.all([first, second])
  t.strictSame(policies.served(), { a: '22' })
  t.strictSame(policies.outcomes(), ['loaded', 'loaded', 'loaded'], 'and the poll started none of its own')
  await policies.settle()
  t.equal(policies.outcomes().length, 3)
})

t.test('what changed while the service started is found', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1') })
  let change = () => writeFileSync(`${directory}/a.yaml`, good('22'))
  const policies = await live(
    directory,
    hooked(() => {
      change()
      change = () => {}
    }),
  )
  t.strictSame(policies.served(), { a: '1' })
  await policies.settle()
  t.strictSame(policies.served(), { a: '22' })
})
