import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'

const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n')
const read = (path: string) => readFileSync(path, 'utf8')
const lockfiles = tracked.filter((path) => basename(path) === 'package-lock.json')
const lockSchema = z.object({ packages: z.record(z.string(), z.looseObject({})) })

for (const path of lockfiles) {
  t.test(path, async (t) => {
    const { packages } = lockSchema.parse(JSON.parse(read(path)))
    const installed = Object.entries(packages).filter(([at]) => at !== '')
    t.ok(installed.length > 10)
    t.strictSame(
      installed.filter(([, { resolved }]) => resolved !== undefined).map(([at]) => at),
      [],
      'has no address, which could be a private registry',
    )
    t.strictSame(
      installed
        .filter(([, { integrity, inBundle }]) => !inBundle && !/^sha512-/u.test(String(integrity)))
        .map(([at]) => at),
      [],
      'has a strong hash of every package',
    )
    t.match(read(`${dirname(path)}/.npmrc`), /^ignore-scripts=true$/mu, 'is installed without scripts')
  })
}

t.test('no package needs its install script', async (t) => {
  const scripted = lockfiles.flatMap((path) =>
    Object.entries(lockSchema.parse(JSON.parse(read(path))).packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([at]) => at.replace(/^.*node_modules\//u, '')),
  )
  // core-js prints a request for donations, protobufjs a warning, and esbuild replaces a launcher by the binary that it
  // launches. Read the script of any other package before you add it here.
  const known = ['core-js', 'esbuild', 'protobufjs']
  t.ok(scripted.length > 0)
  t.strictSame(
    scripted.filter((name) => !known.includes(name)),
    [],
  )
})

t.test('dependencies are pinned to exact versions', async (t) => {
  const sections = z.record(z.string(), z.string()).default({})
  const schema = z.object({ dependencies: sections, devDependencies: sections })
  for (const path of ['package.json', 'test/interop/package.json']) {
    const { dependencies, devDependencies } = schema.parse(JSON.parse(read(path)))
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      t.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/u, `${path}: ${name}`)
  }
})

const workflows = readdirSync('.github/workflows').map((file) => `.github/workflows/${file}`)
for (const path of workflows) {
  t.test(path, async (t) => {
    const text = read(path)
    const uses = [...text.matchAll(/\buses:\s*(.+)$/gmu)].map(([, used = '']) => used)
    t.ok(uses.length > 0)
    for (const used of uses)
      t.match(used, /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u, 'actions are pinned by commit, with the version')
    t.match(parse(text), { permissions: { contents: 'read' } }, 'the token may read, and no more')
    t.equal(text.match(/persist-credentials: false/gu)?.length, text.match(/actions\/checkout@/gu)?.length)
    t.notMatch(text, /pull_request_target|workflow_run/u, 'no run of a stranger has rights of ours')
  })
}

t.test('an update bot watches every list of dependencies', async (t) => {
  const schema = z.object({
    updates: z.array(
      z.looseObject({
        'package-ecosystem': z.string(),
        directory: z.string().optional(),
        directories: z.array(z.string()).default([]),
        cooldown: z.object({ 'default-days': z.number() }),
      }),
    ),
  })
  const { updates } = schema.parse(parse(read('.github/dependabot.yml')))
  const watched = updates.flatMap(({ 'package-ecosystem': ecosystem, directory, directories }) =>
    [...directories, ...(directory === undefined ? [] : [directory])].map((one) => `${ecosystem} ${one}`),
  )
  const ecosystems: readonly (readonly [string, RegExp])[] = [
    ['npm', /^package-lock\.json$/u],
    ['docker', /^Dockerfile$/u],
    ['gomod', /^go\.mod$/u],
    ['maven', /^pom\.xml$/u],
    ['pip', /^requirements.*\.txt$/u],
  ]
  const wanted = tracked.flatMap((path) =>
    ecosystems
      .filter(([, file]) => file.test(basename(path)))
      .map(([ecosystem]) => `${ecosystem} ${dirname(`/${path}`)}`),
  )
  t.strictSame(
    [...new Set([...wanted, 'github-actions /'])].filter((one) => !watched.includes(one)),
    [],
  )
  for (const { cooldown } of updates)
    t.ok(cooldown['default-days'] >= 7, 'a new version has a week in which others find out what is wrong with it')
})
