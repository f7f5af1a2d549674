import { EventEmitter } from 'node:events'
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { ConfigError } from '../../../src/config/faults.ts'
import { fileStream, stdoutStream } from '../../../src/observe/audit/stream.ts'
import { readTail } from '../../../src/observe/audit/tail.ts'
import { build } from '../../helpers/build.ts'
import { until } from '../../helpers/until.ts'
import { quietLogger } from '../../helpers/vending.ts'

/** Files are opened in the background. */
const contentOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

const counter = () => {
  const counted = { lost: 0, errors: 0, again: 0 }
  const logger = { ...quietLogger(), error: () => void counted.errors++, info: () => void counted.again++ }
  return { counted, dependencies: { logger, onLost: () => void counted.lost++ } }
}

t.test('a new file is for its owner alone; one that exists is appended to, and keeps its mode', async (t) => {
  const dir = t.testdir({ old: 'before\n' })
  chmodSync(`${dir}/old`, 0o640)
  for (const { name, mode, want } of [
    { name: 'new', mode: 0o600, want: 'a\nb\n' },
    { name: 'old', mode: 0o640, want: 'before\na\nb\n' },
  ]) {
    const stream = fileStream(`${dir}/${name}`, counter().dependencies)
    stream.write('a')
    stream.write('b')
    await stream.close()
    t.equal(readFileSync(`${dir}/${name}`, 'utf8'), want, 'all is written when it is closed')
    t.equal(statSync(`${dir}/${name}`).mode & 0o777, mode)
  }
})

t.test('a file that was renamed is begun anew when it is opened again', async (t) => {
  const file = `${t.testdir({})}/audit.log`
  const { counted, dependencies } = counter()
  const stream = fileStream(file, dependencies)
  stream.write('a')
  await until(() => contentOf(file) === 'a\n')
  renameSync(file, `${file}.1`)
  stream.write('b')
  await until(() => readFileSync(`${file}.1`, 'utf8') === 'a\nb\n')
  await stream.reopen()
  stream.write('c')
  await stream.close()
  t.equal(readFileSync(`${file}.1`, 'utf8'), 'a\nb\n')
  t.equal(readFileSync(file, 'utf8'), 'c\n')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(counted, { lost: 0, errors: 0, again: 0 })
})

t.test('a file that cannot be opened again is told, and events go on into the old one', async (t) => {
  const dir = t.testdir({ a: {} })
  const { counted, dependencies } = counter()
  const stream = fileStream(`${dir}/a/audit.log`, dependencies)
  stream.write('a')
  await until(() => contentOf(`${dir}/a/audit.log`) === 'a\n')
  renameSync(`${dir}/a`, `${dir}/b`)
  await stream.reopen()
  stream.write('b')
  await stream.close()
  t.equal(readFileSync(`${dir}/b/audit.log`, 'utf8'), 'a\nb\n')
  t.equal(counted.errors, 1)
})

t.test('a full disk is logged once; lines wait, and only those beyond a bound are lost and counted', async (t) => {
  const { counted, dependencies } = counter()
  const stream = fileStream('/dev/full', dependencies)
  const line = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 20; i++) stream.write(line)
  await until(() => counted.errors > 0)
  stream.write(line)
  t.ok(counted.lost >= 4 && counted.lost <= 6, `${counted.lost} of 21 MiB are over 16 MiB`)
  t.equal(counted.errors, 1)
  await stream.close()
  t.equal(counted.errors, 2, 'what waits at the end is told')
  stream.write('late')
  t.ok(counted.lost >= 5, 'a line after the end is lost, and does not throw')
})

t.test('a reader of standard output that is gone loses events, which are counted', async (t) => {
  const written: string[] = []
  const destination = Object.assign(new EventEmitter(), { write: (text: string) => void written.push(text) })
  const { counted, dependencies } = counter()
  const stream = stdoutStream(destination, dependencies)
  stream.write('a')
  destination.emit('drop', '{"level":30}')
  t.equal(counted.lost, 0, 'a line of the log is no event')
  destination.emit('drop', '{"specversion":"1.0","id":1}')
  t.equal(counted.lost, 1)
  destination.emit('error', Object.assign(new Error(), { code: 'EPIPE' }))
  stream.write('b')
  t.equal(counted.lost, 2)
  t.strictSame(written, ['a\n'])
})

t.test('how a file ends', async (t) => {
  const mac = 'm'.repeat(43)
  const rows = [
    { text: '', want: { cut: false, mac: undefined } },
    { text: 'no event\n', want: { cut: false, mac: undefined } },
    { text: `{"a":1,"mac":"${mac}"}\n`, want: { cut: false, mac } },
    { text: `{"a":1,"mac":"${mac}"}\n{"a":`, want: { cut: true, mac } },
    { text: `${'x'.repeat(2 * 1024 * 1024)}\n{"a":1,"mac":"${mac}"}\n`, want: { cut: false, mac } },
  ]
  for (const { text, want } of rows) {
    const file = `${t.testdir({ f: text })}/f`
    t.strictSame(await readTail(file), want, text.slice(-60))
  }
})

t.test('a service whose audit file cannot be used does not start, and says why', async (t) => {
  const dir = t.testdir({ file: 'x' })
  const rows = [
    { name: 'a folder that is not there', log: `${dir}/none/audit.log`, code: 'ENOENT' },
    { name: 'a folder in place of the file', log: dir, code: 'EISDIR' },
    { name: 'a file in place of the folder', log: `${dir}/file/audit.log`, code: 'ENOTDIR' },
    { name: 'a device', log: '/dev/full', code: 'ENOTREG' },
  ]
  for (const { name, log, code } of rows) {
    t.test(name, async (t) => {
      const error = await build(t, { env: { AUDIT_LOG: log } }).catch((error: unknown) => error)
      t.ok(error instanceof ConfigError)
      t.match(error, { message: new RegExp(`AUDIT_LOG: must be a file that can be appended to .*${code}`, 'u') })
    })
  }
  writeFileSync(`${dir}/good`, '')
  const { app } = await build(t, { env: { AUDIT_LOG: `${dir}/good` } })
  await app.ready()
})
