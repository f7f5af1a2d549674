import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import t from 'tap'
import { type Outcome, watchSecretFiles } from '../../src/reload/secret-files.ts'
import { captureLogs } from '../helpers/logs.ts'

/** Files a and b for a test to write. The service uses `old-a` and `old-b`. */
function watch({ judge = (): Outcome['result'] => 'taken', paths = ['a', 'b'] } = {}) {
  const files: Record<string, string | undefined> = { a: 'old-a', b: 'old-b' }
  let inUse: readonly string[] = paths.map((path) => files[path] ?? '')
  const tried: string[] = []
  const counted: string[] = []
  const logs = captureLogs()
  const look = watchSecretFiles(
    {
      secret: 'fixture',
      paths,
      clean: (content) => content.toLowerCase(),
      current: () => inUse,
      async take(contents) {
        tried.push(contents.join('+'))
        const result = judge()
        if (result === 'taken') inUse = contents
        return { result, log: { reason: 'fixture' } }
      },
    },
    {
      logger: logs.logger,
      count: (result) => counted.push(result),
      read: async (path) => {
        const content = files[path]
        if (content === undefined) throw new Error('ENOENT SENTINEL')
        return content
      },
    },
  )
  const looks = async (times: number) => {
    for (let i = 0; i < times; i++) await look('clock')
  }
  return { files, tried, counted, logs, looks, look, inUse: () => inUse.join('+') }
}

t.test('without a change, nothing is tried', async (t) => {
  const { looks, look, tried, files } = watch()
  await looks(1000)
  await look('asked')
  files.a = 'OLD-A'
  await looks(1000)
  t.strictSame(tried, [], 'another form of the same value is not a change')
})

t.test('a change is used after two equal looks', async (t) => {
  const { looks, tried, files, inUse, counted, logs } = watch()
  Object.assign(files, { a: 'new-a', b: 'new-b' })
  await looks(1)
  t.strictSame(tried, [])
  await looks(1)
  t.equal(inUse(), 'new-a+new-b')
  t.strictSame(counted, ['taken'])
  t.match(logs.lines().at(-1), { level: 30, msg: 'a secret has changed and is in use', secret: 'fixture' })
  await looks(1000)
  t.strictSame(tried, ['new-a+new-b'], 'once')
})

t.test('the old secret in its files again, after a refusal, ends the trouble in the log', async (t) => {
  const { looks, files, counted, logs } = watch({ judge: () => 'refused' })
  Object.assign(files, { a: 'bad-a', b: 'bad-b' })
  await looks(2)
  Object.assign(files, { a: 'old-a', b: 'old-b' })
  await looks(3)
  t.strictSame(
    logs.lines().map(({ level, msg }) => [level, msg]),
    [
      [50, 'a secret has changed and cannot be used: the old one stays'],
      [30, 'the files have the secret in use again'],
    ],
  )
  t.strictSame(counted, ['refused'])
})

t.test('a half-written file is not used', async (t) => {
  const { looks, tried, files } = watch({ paths: ['a'] })
  for (const written of ['n', 'ne', 'new', 'new-', 'new-a']) {
    files.a = written
    await looks(1)
  }
  t.strictSame(tried, [])
  await looks(1)
  t.strictSame(tried, ['new-a'])
})

t.test('half of a pair is tried only after half a minute without the other half', async (t) => {
  for (const first of ['a', 'b']) {
    const { looks, tried, files } = watch()
    files[first] = 'new'
    await looks(14)
    t.strictSame(tried, [], first)
    files[first === 'a' ? 'b' : 'a'] = 'also-new'
    await looks(2)
    t.strictSame(tried, [first === 'a' ? 'new+also-new' : 'also-new+new'])
  }
  const { looks, tried, files } = watch()
  files.b = 'corrected'
  await looks(15)
  t.strictSame(tried, ['old-a+corrected'], 'but a wrong half can be corrected')
})

t.test('after a refusal the old secret stays, and retries become rarer', async (t) => {
  let verdict: Outcome['result'] = 'refused'
  const { looks, look, tried, files, inUse, counted, logs } = watch({ judge: () => verdict })
  Object.assign(files, { a: 'bad-a', b: 'bad-b' })
  await looks(2)
  t.equal(inUse(), 'old-a+old-b')
  t.strictSame(counted, ['refused'])
  t.match(logs.lines().at(-1), {
    level: 50,
    msg: 'a secret has changed and cannot be used: the old one stays',
    result: 'refused',
    reason: 'fixture',
  })
  t.notMatch(logs.text(), /bad-a|bad-b|old-a/u)
  await looks(14)
  t.equal(tried.length, 1)
  await looks(1)
  t.equal(tried.length, 2, 'after 15 looks')
  await looks(30)
  t.equal(tried.length, 3, 'after 30 more')
  await looks(3000)
  t.ok(tried.length <= 15, `${tried.length} times in a hundred minutes`)
  const before = tried.length
  await look('asked')
  t.equal(tried.length, before + 1, 'and at once on request of the operator')
  verdict = 'taken'
  await looks(300)
  t.equal(inUse(), 'bad-a+bad-b')

  verdict = 'refused'
  Object.assign(files, { a: 'next-a', b: 'next-b' })
  await looks(2)
  t.equal(tried.at(-1), 'next-a+next-b', 'a new secret does not wait for a refused one')
  Object.assign(files, { a: 'bad-a', b: 'bad-b' })
  const tries = tried.length
  await looks(100)
  t.equal(tried.length, tries, 'and restoring the old one ends the retries')
})

t.test('with a missing or empty file the old secret stays, and the log says so', async (t) => {
  const { looks, tried, files, counted, logs, inUse } = watch()
  files.a = undefined
  await looks(1)
  t.strictSame(counted, [], 'not during a swap')
  await looks(1)
  t.strictSame(counted, ['unreadable'])
  t.notMatch(logs.text(), /SENTINEL/u)
  await looks(10)
  t.strictSame(counted, ['unreadable'], 'but only once')
  Object.assign(files, { a: 'new-a', b: 'new-b' })
  await looks(2)
  t.equal(inUse(), 'new-a+new-b')
  t.strictSame(tried, ['new-a+new-b'])
})

t.test('on request of the operator, the files count as complete', async (t) => {
  const { look, tried, files } = watch()
  files.a = 'new-a'
  await look('asked')
  t.strictSame(tried, ['new-a+old-b'])
})

t.test('real files', async (t) => {
  const dir = await mkdtemp(`${t.testdir({})}/x`)
  let inUse: readonly string[] = ['old']
  const counted: string[] = []
  const path = `${dir}/secret`
  const files = {
    secret: 'fixture',
    paths: [path],
    current: () => inUse,
    take: async (contents: readonly string[]): Promise<Outcome> => {
      inUse = contents
      return { result: 'taken' }
    },
  }
  const look = watchSecretFiles(files, {
    logger: captureLogs().logger,
    count: (result) => counted.push(result),
  })
  const after = async (change: () => unknown) => {
    await change()
    await look('clock')
    await look('clock')
    return inUse[0]
  }
  t.equal(await after(() => writeFile(path, 'written\n')), 'written')
  t.equal(await after(() => writeFile(path, 'rewritt\r\n')), 'rewritt', 'within the same second, of the same size')
  t.equal(
    await after(async () => {
      await writeFile(`${path}~`, 'renamed')
      await rename(`${path}~`, path)
    }),
    'renamed',
    'renamed, as editors do',
  )
  await rm(path)
  for (const version of ['one', 'two']) {
    await mkdir(`${dir}/..${version}`)
    await writeFile(`${dir}/..${version}/secret`, version)
  }
  await symlink('..one', `${dir}/..data`)
  await symlink('..data/secret', path)
  t.equal(await after(() => {}), 'one', 'mounted, as Kubernetes does')
  t.equal(
    await after(async () => {
      await symlink('..two', `${dir}/..tmp`)
      await rename(`${dir}/..tmp`, `${dir}/..data`)
    }),
    'two',
    'swapped, as Kubernetes does',
  )
  t.notMatch(counted.join(), 'unreadable')
  const unusable = [
    { name: 'empty', make: () => writeFile(path, '\n') },
    { name: 'too large', make: () => writeFile(path, 'x'.repeat(65_537)) },
    { name: 'a directory', make: () => mkdir(path) },
    { name: 'a pipe without a writer', make: async () => execFileSync('mkfifo', [path]) },
  ]
  for (const { name, make } of unusable) {
    await rm(path, { recursive: true })
    const told = counted.length
    t.equal(await after(make), 'two', name)
    t.strictSame(counted.slice(told), name === 'empty' ? ['unreadable'] : [], 'which is reported once')
  }
})
