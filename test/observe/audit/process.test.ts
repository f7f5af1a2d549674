import { once } from 'node:events'
import { readFileSync, renameSync, truncateSync } from 'node:fs'
import t, { type Test } from 'tap'
import { startSandbox } from '../../../sandbox/index.ts'
import { sandboxEnvironment } from '../../../sandbox/local.ts'
import { eventOf } from '../../helpers/audit.ts'
import { build, environment } from '../../helpers/build.ts'
import { run } from '../../helpers/cli.ts'
import { ended, start } from '../../helpers/process.ts'
import { manualTimers } from '../../helpers/timers.ts'
import { claims, mint } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const AUDIT_CHAIN_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 13 * i ** 2 + i)).toString('base64')
const headers = { authorization: `Bearer ${mint(claims())}`, 'content-type': 'application/json' }
const body = JSON.stringify({ policy: 'user-upload' })

const verify = async (files: readonly string[], more: readonly string[] = []) => {
  const { out, exitCode } = await run(['audit', 'verify', '--json', ...more, ...files], { env: { AUDIT_CHAIN_KEY } })
  return { exitCode, ...JSON.parse(out) }
}

t.test(
  'on standard output each line is one of the log or one of the audit, and all are there at the end',
  async (t) => {
    const sandbox = await startSandbox()
    t.teardown(() => sandbox.close())
    const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
    const child = start(t, { ...environment, ...jdcloud, PORT: '0', AUDIT_CHAIN_KEY, SHUTDOWN_DELAY_MS: '0' })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const address = () => /listening at (http:[^"]+)/u.exec(output)?.[1]
    await until(address)
    const vends = 20
    const answers = await Promise.all(
      Array.from({ length: vends }, () => fetch(`${address()}/v1/credentials`, { method: 'POST', headers, body })),
    )
    t.ok(answers.every(({ status }) => status === 200))
    const exit = once(child, 'close')
    child.kill('SIGTERM')
    t.strictSame(await exit, [0, null])
    const lines = output.trimEnd().split('\n')
    const events = lines.filter((line) => 'specversion' in JSON.parse(line))
    t.strictSame(
      events.map((line) => eventOf(line).type),
      ['oss-vend.audit.started', ...Array(vends).fill('oss-vend.decision.issued'), 'oss-vend.audit.stopped'],
    )
    for (const line of lines) t.equal('specversion' in JSON.parse(line), !('level' in JSON.parse(line)))
    const file = `${t.testdir({ 'a.log': `${events.join('\n')}\n` })}/a.log`
    t.match(await verify([file]), { exitCode: 0, runs: [{ end: 'stopped' }] })
  },
)

t.test('a file that the service cannot append to ends its start with a configuration error', async (t) => {
  const dir = t.testdir({ 'audit.log': {} })
  const { code, output } = await ended(start(t, { ...environment, PORT: '0', AUDIT_LOG: `${dir}/audit.log` }, dir))
  t.equal(code, 78)
  t.match(output, /AUDIT_LOG: must be a file that can be appended to/u)
})

async function runOnce(t: Test, file: string, vends = 1, dependencies = {}) {
  const built = await build(t, { env: { AUDIT_LOG: file, AUDIT_CHAIN_KEY }, dependencies })
  await built.app.ready()
  const vend = () => built.app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: body })
  for (let i = 0; i < vends; i++) await vend()
  return { ...built, vend }
}

t.test(
  'a restarted service goes on after the last line, so that the end of the run before is vouched for',
  async (t) => {
    const file = `${t.testdir({})}/audit.log`
    for (let i = 0; i < 3; i++) await (await runOnce(t, file, 2)).app.close()
    t.match(await verify([file]), { exitCode: 0, notes: [], runs: [{ end: 'stopped' }, { end: 'stopped' }, {}] })
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    t.equal(eventOf(lines[4] ?? '').previous, eventOf(lines[3] ?? '').mac)

    const without = `${t.testdir({ 'a.log': `${lines.toSpliced(4, 4).join('\n')}\n` })}/a.log`
    t.match(await verify([without]), { exitCode: 1, faults: [{ kind: 'removed' }] }, 'a whole run is removed')
  },
)

t.test('a crash cuts the last line: the next run begins a line of its own, and an auditor sees both', async (t) => {
  const file = `${t.testdir({})}/audit.log`
  const { app } = await runOnce(t, file, 3)
  await app.close()
  const size = readFileSync(file).length
  truncateSync(file, size - 5)
  await (await runOnce(t, file)).app.close()
  const verdict = await verify([file])
  t.match(verdict, { exitCode: 0, faults: [], runs: [{ end: 'followed', events: 4 }, { end: 'stopped' }] })
  t.match(verdict.notes, [/audit.log:5 is cut/u])
})

t.test('when the file is rotated the chain goes on in the next, in whatever order they are given', async (t) => {
  const file = `${t.testdir({})}/audit.log`
  const { app, reload, vend } = await runOnce(t, file, 2)
  await until(() => readFileSync(file, 'utf8').split('\n').length === 4)
  renameSync(file, `${file}.1`)
  await reload()
  await vend()
  await app.close()
  t.equal(readFileSync(`${file}.1`, 'utf8').trimEnd().split('\n').length, 3)
  for (const files of [
    [file, `${file}.1`],
    [`${file}.1`, file],
  ]) {
    t.match(await verify(files), { exitCode: 0, notes: [], runs: [{ events: 5, end: 'stopped' }] })
  }
  const alone = await verify([file])
  t.equal(alone.exitCode, 0)
  t.match(alone.notes, [/the events before 000000000003 are not in these files/u])
})

t.test('the log names the head of the chain each minute, and so the removal of last lines is found', async (t) => {
  const file = `${t.testdir({})}/audit.log`
  const timers = manualTimers()
  const { app, logs } = await runOnce(t, file, 3, { clock: timers.clock })
  const heads = () => logs.lines().flatMap(({ msg, mac }) => (msg === 'head of the audit chain' ? [String(mac)] : []))
  await timers.tick(60_000)
  await timers.tick(60_000)
  t.equal(heads().length, 1, 'once for each head')
  await app.close()
  t.equal(heads().length, 2, 'and at the end')
  const headOptions = heads().flatMap((mac) => ['--head', mac])
  t.match(await verify([file], headOptions), { exitCode: 0, faults: [] })
  const kept = readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, 3)
  const short = `${t.testdir({ 'a.log': `${kept.join('\n')}\n` })}/a.log`
  t.match(await verify([short]), { exitCode: 0, runs: [{ end: 'open' }] }, 'the file alone cannot tell it')
  t.match(await verify([short], headOptions), { exitCode: 1, faults: [{ kind: 'head' }, { kind: 'head' }] })
})

t.test('AUDIT_LOG=none writes nothing and counts nothing', async (t) => {
  const { app, audit } = await build(t, { env: { AUDIT_LOG: 'none' } })
  await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: body })
  await app.close()
  t.strictSame(audit.lines(), [])
})
