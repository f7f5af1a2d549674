import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { CatalogueError } from '../../src/policy/check/catalogue.ts'
import { fingerprint } from '../../src/policy/check/fingerprint.ts'
import { formatFinding } from '../../src/policy/template/finding.ts'
import { createLivePolicies } from '../../src/reload/policies.ts'
import { templateText } from '../helpers/templates.ts'
import { BAD, configMap, good, lintSettings, live } from './live.ts'

t.test('changes of a directory', async (t) => {
  type Row = { name: string; change: (directory: string) => void; want: Record<string, string> }
  const rows: Row[] = [
    { name: 'an edit in place', change: (d) => writeFileSync(`${d}/a.yaml`, good('new')), want: { a: 'new', b: 'd' } },
    { name: 'a new file', change: (d) => writeFileSync(`${d}/c.yaml`, good()), want: { a: 'd', b: 'd', c: 'd' } },
    { name: 'a file removed', change: (d) => rmSync(`${d}/a.yaml`), want: { b: 'd' } },
    { name: 'a file renamed', change: (d) => renameSync(`${d}/a.yaml`, `${d}/z.yaml`), want: { b: 'd', z: 'd' } },
    {
      name: 'a file replaced by another',
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
      t.strictSame(policies.outcomes(), ['loaded'], 'nothing is loaded without a change')
      const held = policies.current()
      change(directory)
      t.not(await fingerprint(directory), before, 'the change is visible')
      await policies.settle()
      t.strictSame(policies.served(), want)
      t.strictSame(policies.outcomes(), ['loaded', 'loaded'])
      t.strictSame([...held.keys()], ['a', 'b'], 'a running vend keeps the old set')
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
  t.test('a directory that is a link, and changes its target twice', async (t) => {
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
  t.equal(policies.current(), held, 'nothing of it is used, not even a good template')
  const last = policies.reloads.at(-1)
  t.match(last?.outcome === 'refused' && last.errors.map(formatFinding), [`${directory}/b.yaml:2:1: error syntax`])

  writeFileSync(`${directory}/b.yaml`, `${BAD}#`)
  await policies.settle()
  t.strictSame(policies.outcomes(), ['loaded', 'refused', 'refused'], 'it is loaded again after a change')
  await policies.look('asked')
  t.equal(policies.outcomes().length, 4, 'a request of the operator loads it again')
  rmSync(`${directory}/b.yaml`)
  await policies.settle()
  t.strictSame(policies.served(), { a: 'new' })
})

t.test('a fault that prevents a start also refuses a reload', async (t) => {
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
      name: 'a failing example',
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
