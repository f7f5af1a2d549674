import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { doctorCommand } from '../../../src/cli/doctor/doctor-command.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { capturedIo } from '../../helpers/captured-io.ts'
import { reportSchema } from '../../helpers/doctor-report.ts'
import { type Rgw, skip, startRgw } from './rgw.ts'
import { createBucket, environment, s3 } from './service.ts'

let rgw: Rgw
before(async () => {
  if (!skip) rgw = await startRgw()
})
after(() => rgw?.stop())

/** What the doctor finds on this Ceph with `--probe`: its crosses, and every line by its name. */
async function diagnose(changes: Environment = {}) {
  const { io, printed } = capturedIo({ ...environment(rgw), ...changes }, '')
  const exitCode = await doctorCommand(io, { probe: true, json: true })
  const { checks } = reportSchema.parse(JSON.parse(printed.out))
  const crosses = checks.filter(({ status }) => status === 'failed').map(({ name, message }) => `${name}: ${message}`)
  return { exitCode, crosses, lines: new Map(checks.map((line) => [line.name, line])) }
}

test('the doctor says the truth about a real store with a real STS', { skip }, async (t) => {
  const missing = await diagnose()
  assert.equal(missing.exitCode, 1)
  assert.deepEqual(missing.crosses, ['bucket: there is no bucket test-app'])

  await createBucket(t, rgw)
  const sound = await diagnose()
  assert.deepEqual(sound.crosses, [])
  assert.equal(sound.exitCode, 0)
  assert.match(
    sound.lines.get('probe user-files')?.message ?? '',
    /^writes, lists parts, aborts uploads, reads, deletes/u,
  )
  assert.match(sound.lines.get('aws-chunked')?.message ?? '', /refuses framed bodies/u)
  const listed = await s3(t, rgw, rgw.admin).send(new ListObjectsV2Command({ Bucket: rgw.bucket }))
  assert.deepEqual(listed.Contents ?? [], [], 'and leaves nothing behind')

  const wrongSecret = await diagnose({ AWS_STS_SECRET_KEY: 'another-secret-key-of-some-length' })
  assert.match(wrongSecret.crosses.join(), /^keys: STS refuses the keys or the role \(AccessDenied/u)
  const wrongRole = await diagnose({ AWS_STS_ROLE_ARN: 'arn:aws:iam:::role/other-role' })
  assert.match(wrongRole.crosses.join(), /^role: .*there is no such role/u)

  const statement = {
    Effect: 'Allow',
    Action: ['s3:PutObject', 's3:DeleteObject'],
    Resource: [`arn:aws:s3:::${rgw.bucket}/*`],
  }
  const narrow = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  await rgw.command('role-policy', 'put', '--role-name=test-role', '--policy-name=all', `--policy-doc=${narrow}`)
  const wide = await diagnose()
  assert.match(wide.crosses.join('\n'), /^probe shared-download: the role does not allow oss:GetObject/mu)
  assert.match(wide.crosses.join('\n'), /^probe user-upload: the role does not allow oss:AbortMultipartUpload/mu)
})
