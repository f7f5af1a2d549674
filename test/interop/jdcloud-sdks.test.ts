import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { startSandbox } from '../../sandbox/index.ts'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const PYTHON = process.env.INTEROP_PYTHON ?? 'python3'
/** Both versions of the SDK, each in a directory of its own, because they are the same package. */
const SDKS = process.env.INTEROP_JDCLOUD_SDKS ?? join(here, 'node_modules/.python')
const there = process.env.REQUIRE_INTEROP !== undefined || existsSync(SDKS)
const skip = there
  ? false
  : `no SDKs in ${SDKS}: pip install --target <it>/jdcloud2 -r test/interop/requirements-jdcloud2.txt, and so for jdcloud3`

const roleJrn = 'jrn:iam::111111111111:role/test-role'
const policy = '{"Version":"3","Statement":[{"Effect":"Allow","Action":["oss:PutObject"],"Resource":["*"]}]}'
const wanted = { roleJrn, roleSessionName: 'upload@alice' }

async function start(t: TestContext, sdk: string) {
  const sandbox = await startSandbox()
  t.after(sandbox.close)
  const { accessKey, secretKey } = SANDBOX_KEYS.testIam
  const assumeRole = async (url: string, info: object, secret: string = secretKey) => {
    const { protocol, host } = new URL(url)
    const args = [join(here, 'jdcloud.py'), protocol.slice(0, -1), host, accessKey, secret, JSON.stringify(info)]
    const env = {
      PATH: process.env.PATH,
      PYENV_ROOT: process.env.PYENV_ROOT,
      PYTHONPATH: join(SDKS, sdk),
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONWARNINGS: 'ignore',
      REQUESTS_CA_BUNDLE: sandbox.caFile,
    }
    const answer: unknown = JSON.parse((await run(PYTHON, args, { env })).stdout)
    assert.ok(typeof answer === 'object' && answer !== null)
    return answer
  }
  return { ...sandbox, assumeRole }
}

const versions = [
  {
    sdk: 'jdcloud2',
    algorithm: 'JDCLOUD2-HMAC-SHA256',
    signedHeaders: 'content-type;host;x-jdcloud-date;x-jdcloud-nonce',
  },
  { sdk: 'jdcloud3', algorithm: 'JDCLOUD3-HMAC-SHA256', signedHeaders: 'content-type;host' },
]

for (const { sdk, ...how } of versions) {
  test(`the Python SDK assumes a role, signed with ${how.algorithm}`, { skip }, async (t) => {
    const { assumeRole, sts, world } = await start(t, sdk)
    for (const url of [sts.url, sts.httpsUrl]) {
      const answer = await assumeRole(url, wanted)
      assert.deepEqual({ ...answer, ...how, error: null }, answer)
      const { accessKey, sessionToken } = credentialsOf(answer)
      assert.equal(world.sessions.lookup(accessKey, sessionToken).status, 'valid')
    }
    await assumeRole(sts.url, { ...wanted, policy, durationSeconds: 7200 })
    assert.deepEqual(
      sts.asked.map(({ accessKey: _, ...info }) => info),
      [wanted, wanted, { ...wanted, policy, durationSeconds: 7200 }],
      'null is unset',
    )
  })

  test(`the Python SDK shows why ${how.algorithm} is refused`, { skip }, async (t) => {
    const { assumeRole, sts } = await start(t, sdk)
    const status = async (...args: Parameters<typeof assumeRole>) => {
      const answer = await assumeRole(...args)
      assert.ok('error' in answer && typeof answer.error === 'object' && answer.error !== null)
      return 'status' in answer.error && answer.error.status
    }
    assert.equal(await status(sts.url, wanted, 'wrong'), 'APIGW_SIGN_RESULT_NOT_SAME')
    assert.equal(await status(sts.url, { ...wanted, durationSeconds: 900 }), 'OUT_OF_RANGE')
  })
}

function credentialsOf(answer: object): { accessKey: string; sessionToken: string } {
  assert.ok('result' in answer && typeof answer.result === 'object' && answer.result !== null)
  assert.ok('credentials' in answer.result)
  const { credentials } = answer.result
  assert.ok(typeof credentials === 'object' && credentials !== null)
  assert.ok('accessKey' in credentials && typeof credentials.accessKey === 'string')
  assert.ok('sessionToken' in credentials && typeof credentials.sessionToken === 'string')
  return { accessKey: credentials.accessKey, sessionToken: credentials.sessionToken }
}
