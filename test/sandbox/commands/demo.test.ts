import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { createTranscript } from '../../../sandbox/commands/transcript.ts'

async function run(script: string, ...args: string[]) {
  const path = new URL(`../../../sandbox/commands/${script}`, import.meta.url).pathname
  const child = spawn(process.execPath, ['--import=tsx', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

t.test('the demo runs, and every step is as expected', async (t) => {
  const { code, out, err } = await run('demo.ts')
  t.equal(code, 0)
  t.equal(err, '', 'it prints only the transcript')
  t.match(out, /\n23 as expected, 0 not\n$/u)
  const refused = [
    "alice puts into bob's folder",
    'alice lists her folder',
    "alice's session has expired",
    'a token whose subject is *',
  ]
  for (const line of refused) t.match(out, `✓ ${line}`)
  t.notMatch(out, /✗/u)
})

t.test('an unexpected result has a cross and is counted', async (t) => {
  const lines: string[] = []
  const { step, totals } = createTranscript((line) => lines.push(line), false)
  await step('good', '200', { got: '200' })
  await step('bad', '403 AccessDenied', Promise.resolve({ got: '200', shown: '200: users/bob/' }))
  t.match(lines[0], /^ {2}✓ good +→ 200$/u)
  t.match(lines[1], /^ {2}✗ bad +→ 200: users\/bob\/ +expected 403 AccessDenied$/u)
  t.strictSame(totals(), { passed: 1, failed: 1 })
})

t.test('the token command', async (t) => {
  const payload = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  t.test('it makes the requested token', async (t) => {
    const { code, out } = await run(
      'token.ts',
      '--sub',
      'alice',
      '--claim',
      'scope=oss.upload',
      '--claim',
      'roles=["a","b"]',
      '--claim',
      'tenant=7up',
      '--expires',
      '60',
    )
    t.equal(code, 0)
    const claims = payload(out)
    t.match(claims, { sub: 'alice', scope: 'oss.upload', roles: ['a', 'b'], tenant: '7up' })
    t.equal(claims.exp - claims.iat, 60)
    t.equal(out.trim().split('\n').length, 1, 'it prints nothing else')
  })
  const rows = [
    { name: 'without a subject', args: [], want: '--sub' },
    { name: 'a claim without a value', args: ['--sub', 'a', '--claim', 'x'], want: 'must be name=value' },
    { name: 'a duration in words', args: ['--sub', 'a', '--expires', '1h'], want: 'must be a whole number of seconds' },
    { name: 'an unknown option', args: ['--sub', 'a', '--role', 'x'], want: "unknown option '--role'" },
  ]
  for (const { name, args, want } of rows) {
    t.test(name, async (t) => {
      const { code, err } = await run('token.ts', ...args)
      t.equal(code, 1)
      t.match(err, want)
    })
  }
})
