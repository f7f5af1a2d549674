import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { z } from 'zod'
import { reportSchema } from '../../helpers/doctor-report.ts'
import { keys } from '../../helpers/tokens.ts'
import { soundCloud } from './harness.ts'

const run = promisify(execFile)
const outputsSchema = z.record(
  z.string(),
  z.looseObject({
    inputs: z.record(z.string(), z.unknown()),
    imports: z.array(z.looseObject({ path: z.string(), kind: z.string() })),
  }),
)
const metafileSchema = z.looseObject({ outputs: outputsSchema })
const manifestSchema = z.looseObject({ scripts: z.looseObject({ build: z.string() }) })

t.test('the built service loads the SDK for the doctor alone, and has it', async (t) => {
  const dir = t.testdir({ policies: {} })
  const { build } = manifestSchema.parse(JSON.parse(readFileSync('package.json', 'utf8'))).scripts
  const [, flags = ''] = /bundle -- (.*) --outdir=dist\/src$/u.exec(build) ?? []
  const out = [`--outdir=${dir}/dist/src`, `--metafile=${dir}/meta.json`]
  await run('npm', ['run', '--silent', 'bundle', '--', ...flags.split(' '), ...out])

  const { outputs } = metafileSchema.parse(JSON.parse(readFileSync(`${dir}/meta.json`, 'utf8')))
  const start = Object.keys(outputs).filter((file) => file.endsWith('dist/src/main.js'))
  const atStart = new Set(start)
  for (const file of atStart) {
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') atStart.add(path)
  }
  const hasSdk = (file: string) =>
    Object.keys(outputs[file]?.inputs ?? {}).some((input) => /@aws-sdk\/|@smithy\//u.test(input))
  t.equal(start.length, 1)
  t.strictSame([...atStart].filter(hasSdk), [], 'nothing of it is loaded at the start')
  t.ok(Object.keys(outputs).some(hasSdk), 'and it is there')

  const { sandbox, env } = await soundCloud(t)
  const variables = {
    ...env,
    JWT_SECRET: keys.hmac,
    JDCLOUD_STS_ENDPOINT: sandbox.sts.httpsUrl,
    OSS_ENDPOINT: sandbox.oss.httpsUrl,
    EXTRA_CA_FILE: sandbox.caFile,
    POLICIES_DIR: `${process.cwd()}/policies`,
  }
  const command = [`${dir}/dist/src/main.js`, 'doctor', '--probe', '--json']
  const { stdout } = await run(process.execPath, command, { cwd: dir, env: variables })
  const report = reportSchema.parse(JSON.parse(stdout))
  t.strictSame([report.failed, report.notChecked], [0, 1], 'by TLS, all is green')
})
