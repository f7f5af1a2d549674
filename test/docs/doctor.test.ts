import { readFileSync } from 'node:fs'
import t from 'tap'
import { diagnose, doctor, ORIGIN, soundCloud } from '../cli/doctor/harness.ts'
import { fencedBlocks } from '../helpers/markdown.ts'

const page = readFileSync('docs/doctor.md', 'utf8')
const blocks = fencedBlocks(page)

t.test('the sample of docs/doctor.md is what the doctor prints', async (t) => {
  const Action = ['oss:PutObject', 'oss:DeleteObject', 'oss:AbortMultipartUpload', 'oss:ListMultipartUploadParts']
  const Resource = ['jrn:oss:*:111111111111:test-app/*']
  const rolePolicies = [{ Version: '3' as const, Statement: [{ Effect: 'Allow' as const, Action, Resource }] }]
  const { sandbox, env } = await soundCloud(t, { rolePolicies })
  const { sts, oss, caFile } = sandbox
  const byTls = { JDCLOUD_STS_ENDPOINT: sts.httpsUrl, OSS_ENDPOINT: oss.httpsUrl, EXTRA_CA_FILE: caFile }
  const { exitCode, out } = await doctor({ ...env, ...byTls, CORS_ORIGINS: ORIGIN }, { probe: true })
  t.equal(exitCode, 1)
  const shown = out
    .replaceAll(sts.httpsUrl, 'https://sts.jdcloud-api.com')
    .replaceAll(oss.httpsUrl, 'https://s3.cn-north-1.jdcloud-oss.com')
    .replaceAll(`${process.cwd()}/policies`, '/app/policies')
    .replace(/\.oss-vend-doctor-[0-9a-f]{8}/gu, '.oss-vend-doctor-5c1d9a40')
  const sample = blocks.find(({ text }) => text.startsWith('Service\n'))
  t.equal(shown, sample?.text)
})

t.test('every check is in the table of docs/doctor.md', async (t) => {
  const { env } = await soundCloud(t)
  const { lines } = await diagnose(env)
  const names = new Set(lines.map(({ name }) => name.replace(/^(issuer|template|probe) .*$/u, '$1 <name>')))
  for (const name of names) t.ok(page.includes(`| \`${name}\` |`), name)
})

t.test('the JSON of docs/doctor.md has the members of a report', async (t) => {
  const { env } = await soundCloud(t)
  const { report } = await diagnose(env)
  const sample: unknown = JSON.parse(blocks.find(({ language }) => language === 'json')?.text ?? '')
  t.strictSame(Object.keys(Object(sample)), Object.keys(report))
})
