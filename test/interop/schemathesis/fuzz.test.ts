import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { mintToken } from '../../../sandbox/issuer.ts'
import { startLocal } from '../../../sandbox/local.ts'
import { captureLogs } from '../../helpers/logs.ts'
import { skipWithout } from '../clients/client.ts'
import { PYTHON } from '../clients/python.ts'

const run = promisify(execFile)
// By a name, because `import schemathesis` finds this folder.
const skip = skipWithout(PYTHON, '-c', 'from schemathesis import hook')

/** The part of schemathesis' report that is judged. */
const reportSchema = z.object({
  stop_reason: z.literal('completed'),
  operations: z.object({ total: z.int(), tested: z.int() }),
  test_cases: z.object({ generated: z.int() }),
  failures: z.array(z.unknown()),
  errors: z.array(z.unknown()),
  warnings: z.record(z.string(), z.array(z.unknown())),
})

/** So high that no request meets a limit, and answers have the headers of limits. */
const MANY = '1000000'
const LIMITS = {
  RATE_LIMIT_ADDRESS_PER_MINUTE: MANY,
  RATE_LIMIT_CALLER_PER_MINUTE: MANY,
  RATE_LIMIT_FAILED_AUTH_PER_MINUTE: MANY,
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: MANY,
  // What else runs on the machine must not decide how a test ends.
  OVERLOAD_EVENT_LOOP_DELAY_MS: '0',
}

/** Warnings that most requests of an operation were refused, which bad tokens and odd parameters are meant to be. */
const STATISTICS = ['missing_auth', 'validation_mismatch', 'low_valid_rate', 'missing_test_data']

type Fuzz = Readonly<{
  tokens: readonly string[]
  allBad?: boolean
  /** For each operation, beside the cases that the document gives rise to. */
  examples: number
  atLeast: number
}>

/** Runs schemathesis against a service of its own, by the document that the service publishes. */
async function fuzz(t: TestContext, { tokens, allBad = false, examples, atLeast }: Fuzz, stsDown = false) {
  const logs = captureLogs()
  const local = await startLocal({ logger: logs.logger, env: LIMITS })
  t.after(local.close)
  if (stsDown) local.sandbox.sts.faults.set({ kind: 'status', status: 500 })
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-fuzz-'))
  t.after(() => rm(directory, { recursive: true }))
  for (const file of ['schemathesis.toml', 'hooks.py']) await cp(join(import.meta.dirname, file), join(directory, file))
  await writeFile(join(directory, 'tokens.dict'), tokens.map((token) => `${JSON.stringify(token)}\n`).join(''))
  const report = join(directory, 'report.json')
  const seed = ['--seed', '17', '--generation-deterministic']
  const out = ['--no-color', '--report', 'json', '--report-json-path', report, '--workers', '4']
  const st = 'from schemathesis.cli import schemathesis; schemathesis()'
  const { stdout } = await run(
    PYTHON,
    ['-c', st, 'run', `${local.url}/openapi.json`, '--max-examples', String(examples), ...seed, ...out],
    {
      cwd: directory,
      maxBuffer: 64 * 1024 * 1024,
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        PYTHONDONTWRITEBYTECODE: '1',
        PYENV_ROOT: process.env.PYENV_ROOT,
        TOKENS: JSON.stringify(tokens),
        ALL_BAD: allBad ? '1' : '0',
      },
    },
  ).catch((error: { stdout: string; stderr: string }) => ({ stdout: `${error.stdout}\n${error.stderr}` }))
  const told = await readFile(report, 'utf8').catch(() => assert.fail(`schemathesis wrote no report: ${stdout}`))
  const result = reportSchema.parse(JSON.parse(told))
  const paidOut = logs.lines().filter(({ msg }) => msg === 'vended' || msg === 'signed').length
  t.diagnostic(`${result.test_cases.generated} cases, ${paidOut} of them with credentials or signatures`)
  assert.deepEqual({ failures: result.failures, errors: result.errors }, { failures: [], errors: [] }, stdout)
  assert.equal(result.operations.tested, result.operations.total)
  assert.deepEqual(
    Object.entries(result.warnings).filter(([kind, found]) => found.length > 0 && !STATISTICS.includes(kind)),
    [],
    stdout,
  )
  assert.ok(result.test_cases.generated >= atLeast, `${result.test_cases.generated} cases, of ${atLeast}`)
  return paidOut
}

const good = () =>
  mintToken({ sub: 'alice', claims: { scope: 'oss.upload oss.files oss.download' }, expiresSeconds: 7200 })

test('every answer is one that the API description allows', { skip }, async (t) => {
  const paidOut = await fuzz(t, { tokens: [await good()], examples: 440, atLeast: 3500 })
  assert.ok(paidOut > 300, 'requests come as far as STS')
})

test('no bad token opens anything', { skip }, async (t) => {
  const token = await good()
  const [header, payload, signature = ''] = token.split('.')
  const tokens = [
    'x',
    '..',
    token.slice(0, -1),
    `${token}.`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.split('').toReversed().join('')}`,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
    await mintToken({ sub: 'alice', claims: { exp: 1_000_000_000 } }),
    await mintToken({ sub: 'alice', claims: { aud: 'another' } }),
  ]
  assert.equal(await fuzz(t, { tokens, allBad: true, examples: 100, atLeast: 1000 }), 0)
})

test('without STS, every answer is one that the API description allows', { skip }, async (t) => {
  assert.equal(await fuzz(t, { tokens: [await good()], examples: 30, atLeast: 500 }, true), 0)
})
