import t from 'tap'
import { type RefusedRow, ROLE_JRN, refuses, startSts } from './harness.ts'

const wanted = { roleJrn: ROLE_JRN, roleSessionName: 'upload@alice' }
const statement = { Effect: 'Allow', Action: 'oss:PutObject', Resource: 'jrn:oss:*:111111111111:test-app/a/*' }
const policy = (members: object = {}, version: unknown = '3') =>
  JSON.stringify({ Version: version, Statement: [{ ...statement, ...members }] })
/** A policy of exactly this many bytes. Each character of its filling has three. */
function policyOfBytes(bytes: number): string {
  const room = bytes - Buffer.byteLength(policy({ Sid: '' }))
  return policy({ Sid: '桶'.repeat(Math.floor(room / 3)) + 'x'.repeat(room % 3) })
}

t.test('accepted bodies', async (t) => {
  const rows = [
    { name: 'no policy, no duration', info: {} },
    { name: 'a policy', info: { policy: policy() } },
    { name: 'a policy with its version as a number', info: { policy: policy({}, 3) } },
    { name: 'a policy on everything', info: { policy: policy({ Resource: '*' }) } },
    { name: 'a policy with a Deny and a Condition', info: { policy: policy({ Effect: 'Deny', Condition: {} }) } },
    { name: 'a policy of 2048 bytes', info: { policy: policyOfBytes(2048) } },
    { name: 'the shortest session name', info: { roleSessionName: 'ab' } },
    { name: 'null for all that is unset', info: { policy: null, durationSeconds: null }, want: {} },
    { name: 'null for one of them', info: { policy: policy(), durationSeconds: null }, want: { policy: policy() } },
    { name: 'the longest session name', info: { roleSessionName: 'a=,.@-_9'.repeat(8) } },
  ]
  for (const { name, info, want = info } of rows) {
    t.test(name, async (t) => {
      const sts = await startSts(t)
      const { error } = await sts.call({ info })
      t.equal(error, undefined)
      t.strictSame(sts.asked, [{ accessKey: 'JDC_SANDBOXTESTIAM000000000000000', ...wanted, ...want }])
    })
  }
})

t.test('refused bodies', async (t) => {
  const info = (members: object, field: string): Omit<RefusedRow, 'name'> => ({
    input: { info: { ...members } },
    want: [400, 'INVALID_ARGUMENT', `assumeRoleInfo.${field}`],
  })
  const body = (text: string | Buffer, ...fields: string[]): Omit<RefusedRow, 'name'> => ({
    input: { body: text },
    want: [400, 'INVALID_ARGUMENT', ...fields],
  })
  refuses(t, [
    { name: 'nothing', ...body('') },
    { name: 'not JSON', ...body('{') },
    { name: 'a list', ...body('[]') },
    { name: 'not UTF-8', ...body(Buffer.from('{"a":"\xff"}', 'latin1')) },
    { name: 'no assumeRoleInfo', ...body('{}', 'assumeRoleInfo') },
    {
      name: 'an unknown member beside assumeRoleInfo',
      ...body(JSON.stringify({ assumeRoleInfo: wanted, policy: '' })),
    },
    {
      name: 'a misspelled member in assumeRoleInfo',
      ...body(JSON.stringify({ assumeRoleInfo: { ...wanted, Policy: policy() } }), 'assumeRoleInfo'),
    },
    {
      name: 'no role',
      ...body(JSON.stringify({ assumeRoleInfo: { roleSessionName: 'ab' } }), 'assumeRoleInfo.roleJrn'),
    },
    { name: "Amazon's ARN", ...info({ roleJrn: 'arn:aws:iam::111111111111:role/test-role' }, 'roleJrn') },
    { name: 'a role with a region', ...info({ roleJrn: 'jrn:iam:cn:111111111111:role/test-role' }, 'roleJrn') },
    { name: 'a wildcard for a role', ...info({ roleJrn: 'jrn:iam::111111111111:role/*' }, 'roleJrn') },
    { name: 'a user for a role', ...info({ roleJrn: 'jrn:iam::111111111111:subUser/test-iam' }, 'roleJrn') },
    { name: 'a session name of one character', ...info({ roleSessionName: 'a' }, 'roleSessionName') },
    { name: 'a session name of 65 characters', ...info({ roleSessionName: 'a'.repeat(65) }, 'roleSessionName') },
    { name: 'a session name with a slash', ...info({ roleSessionName: 'a/b' }, 'roleSessionName') },
    { name: 'a session name with a line after it', ...info({ roleSessionName: 'ab\n' }, 'roleSessionName') },
    { name: 'a session name in another script', ...info({ roleSessionName: 'äöü' }, 'roleSessionName') },
    { name: 'null for the role', ...info({ roleJrn: null }, 'roleJrn') },
    { name: 'null for the session name', ...info({ roleSessionName: null }, 'roleSessionName') },
    { name: 'a duration in quotes', ...info({ durationSeconds: '3600' }, 'durationSeconds') },
    { name: 'a duration with a fraction', ...info({ durationSeconds: 3600.5 }, 'durationSeconds') },
    { name: 'a policy that is not a string', ...info({ policy: { Version: '3' } }, 'policy') },
    { name: 'an empty policy', ...info({ policy: '' }, 'policy') },
    { name: 'a policy of 2049 bytes', ...info({ policy: policyOfBytes(2049) }, 'policy') },
    { name: 'a policy that is not JSON', ...info({ policy: '{' }, 'policy') },
    { name: "a policy with Amazon's version", ...info({ policy: policy({}, '2012-10-17') }, 'policy') },
    { name: 'a policy without statements', ...info({ policy: '{"Version":"3","Statement":[]}' }, 'policy') },
    { name: 'a policy with a Principal', ...info({ policy: policy({ Principal: '*' }) }, 'policy') },
    { name: 'a policy with NotAction', ...info({ policy: policy({ NotAction: 'oss:GetObject' }) }, 'policy') },
    { name: 'a policy with NotResource', ...info({ policy: policy({ NotResource: '*' }) }, 'policy') },
    { name: 'a policy on an ARN', ...info({ policy: policy({ Resource: 'arn:aws:s3:::test-app/*' }) }, 'policy') },
    {
      name: 'a policy with one invalid resource',
      ...info({ policy: policy({ Resource: ['*', 'a'] }) }, 'policy'),
    },
  ])
})

t.test('a refusal repeats nothing of the request', async (t) => {
  const sts = await startSts(t)
  const planted = 'planted-secret'
  const bodies = [
    { info: { policy: policy({ Sid: planted, Principal: planted }) } },
    { info: { policy: `{${planted}` } },
    { info: { roleSessionName: `${planted}/` } },
    { info: { roleJrn: planted } },
    { info: { [planted]: planted } },
    { body: `{"assumeRoleInfo": ${planted}` },
  ]
  for (const input of bodies) {
    const { status, text } = await sts.call(input)
    t.equal(status, 400)
    t.notMatch(text, planted)
  }
})
