import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { exportLines } from '../../../sandbox/commands/exports.ts'

const root = new URL('../../../', import.meta.url).pathname
const PORTS = [
  'PORT',
  'HTTPS_PORT',
  'SANDBOX_STS_PORT',
  'SANDBOX_STS_HTTPS_PORT',
  'SANDBOX_OSS_PORT',
  'SANDBOX_OSS_HTTPS_PORT',
]

t.test('after the printed lines, an example runs', async (t) => {
  const ports = PORTS.map((name) => [name, '0'])
  const dev = spawn(process.execPath, ['--import=tsx', 'sandbox/commands/dev.ts'], {
    cwd: root,
    env: { ...process.env, ...Object.fromEntries(ports), LOG_LEVEL: 'fatal' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(dev, 'close')
  t.teardown(() => dev.kill('SIGKILL'))
  let printed = ''
  await new Promise<void>((resolve) => {
    dev.once('close', () => resolve())
    dev.stdout.on('data', (chunk) => {
      printed += chunk
      if (/SSL_CERT_FILE=.*\n/u.test(printed)) resolve()
    })
  })
  const lines = printed.match(/^(?:unset|export) .*$/gmu) ?? []

  const shell = spawn(
    'sh',
    ['-euc', `${lines.join('\n')}\nexec "$0" --import=tsx examples/node/upload.ts`, process.execPath],
    {
      cwd: root,
      stdio: 'pipe',
    },
  )
  shell.stdin.end('\n')
  let out = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk) => (out += chunk))
  const [code] = await once(shell, 'close')
  t.equal(code, 0)
  t.match(out, 'uploaded users/alice/again.txt')

  const tokenFile = /AWS_WEB_IDENTITY_TOKEN_FILE=(.*)/u.exec(printed)?.[1] ?? ''
  t.equal(statSync(tokenFile).mode & 0o777, 0o600)
  t.equal(statSync(dirname(tokenFile)).mode & 0o777, 0o700)
  dev.kill('SIGTERM')
  await ended
  t.notOk(existsSync(dirname(tokenFile)), 'nothing is left behind')
})

t.test('a path with spaces and quotes stays one word', async (t) => {
  const lines = exportLines({
    url: 'u',
    httpsUrl: 'h',
    ossUrl: 'o',
    region: 'r',
    caFile: "/a b/it's $x",
    tokenFile: '/t',
  })
  t.match(lines, "export AWS_CA_BUNDLE='/a b/it'\\''s $x'\n")
})
