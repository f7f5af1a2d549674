import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startWorld, type World } from './world.ts'

export const examples = new URL('../../../examples/', import.meta.url).pathname

/** Where a tool is missing, its tests are skipped, unless REQUIRE_INTEROP is set, as in CI: there they fail. */
export function skipWithout(...command: [string, ...string[]]): string | false {
  const [tool, ...args] = command
  if (process.env.REQUIRE_INTEROP || spawnSync(tool, args).status === 0) return false
  return `SKIPPED, because this machine does not run: ${command.join(' ')}`
}

/** Runs a build to its end. */
export function build(tool: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${tool} ${args.join(' ')}: ${error ?? ''}${stdout}${stderr}`)
}

type Program = Readonly<{
  name: string
  command: readonly [string, ...string[]]
  /** The variables beside those that all examples read. */
  env: (world: World) => Record<string, string> | Promise<Record<string, string>>
  skip: string | false
}>

/** An example, and what is special about it. */
export type Client = Program &
  Readonly<{
    /** What it says of a token that does not verify, of a policy that the caller may not use, and of an STS that is down. */
    says: Readonly<{ badToken: RegExp; notAllowed: RegExp; stsDown: RegExp }>
    /** How often it asks for credentials in an ordinary run; once, unless it is a script of several processes. */
    vends?: number
  }>

/** A started example. */
async function start({ command, env }: Omit<Program, 'name' | 'skip'>, world: World, t: TestContext) {
  const [tool, ...args] = command
  const child = spawn(tool, args, { env: { ...world.env, ...(await env(world)) } })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  const waiting = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes('press Enter')) resolve()
      })
    }
  })
  const ended = once(child, 'close')
  return {
    /** Until it waits for Enter, or is over. */
    waits: () => Promise.race([waiting, ended.then(() => assert.fail(`it ended too early: ${output}`))]),
    /** Presses Enter, too. */
    async ends() {
      child.stdin.on('error', () => {}) // it may have ended already
      child.stdin.end('\n')
      const [code] = await ended
      return { code, output }
    },
  }
}

const STEPS = [
  /^uploaded users\/alice\/hello\.txt$/mu,
  /^uploaded users\/alice\/film\.bin in parts$/mu,
  /^downloaded users\/alice\/film\.bin$/mu,
  /^refused users\/bob\/hello\.txt: .*(?:Access ?Denied)/mu,
  /^press Enter/mu,
  /^uploaded users\/alice\/again\.txt$/mu,
]

/** What every example must do over https, unmodified. */
export function testClient(client: Client): void {
  const { name, says, skip, vends = 1 } = client

  test(`${name} uploads, in parts too, downloads, and is refused next door`, { skip }, async (t) => {
    const world = await startWorld(t)
    const run = await start(client, world, t)
    await run.waits()
    const { code, output } = await run.ends()
    assert.equal(code, 0, output)
    for (const step of STEPS) assert.match(output, step)
    const stored = world.sandbox.oss.store.get('test-app')
    for (const name of ['hello.txt', 'again.txt']) assert.ok(stored?.get(`users/alice/${name}`), name)
    assert.match(stored?.get('users/alice/film.bin')?.etag ?? '', /-3"?$/u, 'three parts')
    assert.equal(stored?.get('users/bob/hello.txt'), undefined)
    assert.equal(world.vends(), vends)
  })

  test(`${name} refreshes credentials that end while it runs`, { skip }, async (t) => {
    const world = await startWorld(t, { shortSessions: true })
    const run = await start(client, world, t)
    await run.waits()
    world.endFirstSession()
    const { code, output } = await run.ends()
    assert.equal(code, 0, output)
    assert.match(output, /^uploaded users\/alice\/again\.txt$/mu)
    assert.equal(world.sandbox.sts.asked.length, 2)
  })

  const failures = {
    'a token that does not verify': {
      says: says.badToken,
      prepare: (world: World) => world.setToken('no.jwt.atall'),
    },
    'a policy that its caller may not use': {
      says: says.notAllowed,
      prepare: async (world: World) => world.setToken(await world.mint('openid')),
    },
    'an STS that is down': {
      says: says.stsDown,
      prepare: (world: World) => world.sandbox.sts.faults.set({ kind: 'status', status: 500 }),
    },
  }
  for (const [what, { says, prepare }] of Object.entries(failures)) {
    test(`${name} says so plainly when it meets ${what}`, { skip }, async (t) => {
      const world = await startWorld(t)
      await prepare(world)
      const { code, output } = await (await start(client, world, t)).ends()
      assert.notEqual(code, 0)
      assert.match(output, says)
      assert.doesNotMatch(output, /^uploaded/mu)
    })
  }
}

/** One setting that docs/clients.md calls necessary. */
export type Setting = Omit<Program, 'command'> &
  Readonly<{
    /** The folder of the example, and the place of the setting in it. */
    example: string
    file: string
    text: string
    build?: (folder: string) => void
    command: (folder: string) => readonly [string, ...string[]]
    says: RegExp
  }>

/** Runs a copy of an example without the setting, which must fail as the docs say. */
export function testSetting({ name, example, file, text, build, command, env, says, skip }: Setting): void {
  test(`${name} cannot do without: ${text.trim()}`, { skip }, async (t) => {
    const world = await startWorld(t)
    const folder = join(world.directory, example)
    await cp(join(examples, example), folder, { recursive: true })
    const whole = await readFile(join(folder, file), 'utf8')
    assert.ok(whole.includes(text))
    await writeFile(join(folder, file), whole.replace(text, ''))
    build?.(folder)
    const { code, output } = await (await start({ command: command(folder), env }, world, t)).ends()
    assert.notEqual(code, 0)
    assert.match(output, says)
  })
}
