import t from 'tap'
import { OPERATION_ACTIONS, OSS_ACTIONS } from '../../src/policy/language/operations.ts'
import { build } from '../helpers/build.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { templateText } from '../helpers/templates.ts'
import { AUDIENCE, claims, ISSUER, mint } from '../helpers/tokens.ts'
import { jrn, object, service, WRITE } from './harness.ts'

t.test('what a caller would get', async (t) => {
  const { explain, asked } = await service(t)
  const granted = {
    granted: true,
    grant: {
      policy: 'open',
      actions: ['oss:PutObject', 'oss:AbortMultipartUpload', 'oss:GetObject'],
      resources: [jrn('users/alice/*'), jrn('public/*')],
      roleSessionName: 'open@alice',
      durationSeconds: 7200,
    },
    sessionPolicy: {
      Version: '3',
      Statement: [
        { Sid: 'own', Effect: 'Allow', Action: WRITE, Resource: [jrn('users/alice/*')] },
        { Sid: 'read', Effect: 'Allow', Action: ['oss:GetObject'], Resource: [jrn('public/*')] },
      ],
    },
  }
  const response = await explain('open')
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  t.match(response.headers['content-type'], 'application/json')
  t.strictSame(response.json(), granted)
  const shorter = (await explain('open', { durationSeconds: 3600 })).json()
  t.equal(shorter.grant.durationSeconds, 3600)

  const rows = [
    { operation: 'PutObject', key: 'users/alice/1.jpg', want: { allowed: true, statement: 0, sid: 'own' } },
    { operation: 'UploadPart', key: 'users/alice/a/b', want: { allowed: true, statement: 0, sid: 'own' } },
    { operation: 'GetObject', key: 'public/1.jpg', want: { allowed: true, statement: 1, sid: 'read' } },
    { operation: 'GetObject', key: 'users/alice/1.jpg', want: { allowed: false } },
    { operation: 'PutObject', key: 'users/bob/1.jpg', want: { allowed: false } },
    { operation: 'PutObject', key: 'users/alice', want: { allowed: false } },
    { operation: 'PutObject', key: 'users/alice2/1', want: { allowed: false } },
    { operation: 'PutObject', key: '*', want: { allowed: false } },
    { operation: 'ListObjectsV2', want: { allowed: false } },
    { operation: 'ListBuckets', want: { allowed: false } },
  ] as const
  for (const { want, ...question } of rows) {
    t.test(Object.values(question).join(' '), async (t) => {
      const { answer, ...rest } = (await explain('open', question)).json()
      t.strictSame(rest, granted)
      const action = OPERATION_ACTIONS[question.operation]
      const where = {
        object: object('key' in question ? question.key : ''),
        bucket: object('').slice(0, -1),
        service: 'jrn:oss:cn-north-1:111111111111:*',
      }
      t.strictSame(answer, { operation: question.operation, action, resource: where[OSS_ACTIONS[action]], ...want })
    })
  }
  t.strictSame(asked, [], 'STS was not asked')
})

t.test('why a caller would get nothing', async (t) => {
  const { explain, vend, asked } = await service(t)
  const rule = 'must be 1 to 128 letters, digits and -_.~@+=,|, and not . or ..'
  const denied = (detail: string) => ({ code: 'policy_not_allowed', detail })
  const fault = (pointer: string, detail: string) => ({ code: 'invalid_request', errors: [{ pointer, detail }] })
  type Row = {
    name: string
    policy: string
    body?: Record<string, unknown>
    who?: Record<string, unknown>
    want: unknown
  }
  const rows: Row[] = [
    { name: 'a claim', policy: 'scoped', want: denied('claim "scope" does not hold a required value') },
    { name: 'a missing claim', policy: 'scoped', who: { scope: undefined }, want: denied('claim "scope" is missing') },
    { name: 'nobody', policy: 'nobody', want: denied('this policy is for nobody: it has no allow') },
    {
      name: 'no alternative',
      policy: 'alternatives',
      who: { tier: 'tin', level: 1 },
      want: denied('no alternative holds: claim "tier" is not the required value; or claim "level" is too low'),
    },
    { name: 'a claim for a resource', policy: 'team', want: denied('claim "team" is missing') },
    {
      name: 'an unsafe claim',
      policy: 'team',
      who: { team: 'a*' },
      want: { code: 'unsafe_value', detail: `claim "team" ${rule}` },
    },
    {
      name: 'an unsafe subject',
      policy: 'open',
      who: { sub: 'a/b' },
      want: { code: 'unsafe_value', detail: `claim "sub" ${rule}` },
    },
    { name: 'no param', policy: 'album', want: fault('/params/album', 'is required') },
    {
      name: 'a param too much',
      policy: 'open',
      body: { params: { x: 'y' } },
      want: fault('/params/x', 'is not a parameter of this policy'),
    },
    {
      name: 'a param that does not match',
      policy: 'album',
      body: { params: { album: 'work' } },
      want: fault('/params/album', 'does not match ^(?:trip|fair|any.*)$'),
    },
    {
      name: 'an unsafe param',
      policy: 'album',
      body: { params: { album: 'any*' } },
      want: { code: 'unsafe_value', detail: `parameter "album" ${rule}` },
    },
    {
      name: 'too long',
      policy: 'open',
      body: { durationSeconds: 7201 },
      want: fault('/durationSeconds', 'must be at most 7200 for this policy'),
    },
    {
      name: 'shorter than STS has',
      policy: 'open',
      body: { durationSeconds: 900 },
      want: fault('/durationSeconds', 'must be whole seconds, 3600 or more'),
    },
    {
      name: 'too large',
      policy: 'deep',
      body: { params: { dir: Array(16).fill('x'.repeat(126)).join('/') } },
      want: { code: 'policy_too_large', detail: 'it would be over 2048 bytes' },
    },
  ]
  for (const { name, policy, body = {}, who = {}, want } of rows) {
    t.test(name, async (t) => {
      const response = await explain(policy, { ...body, operation: 'PutObject', key: 'users/alice/1' }, who)
      t.equal(response.statusCode, 200)
      t.equal(response.headers['cache-control'], 'no-store')
      t.strictSame(response.json(), { granted: false, refusal: want })
      t.notMatch(response.body, /SENTINEL|271828/u, 'no accepted value')
      // A vend says the same, with the status that belongs to it.
      const { code, detail, errors } = (await vend({ policy, ...body }, who)).json()
      t.strictSame({ code, ...(detail !== undefined && { detail }), ...(errors && { errors }) }, want)
    })
  }
  t.strictSame(asked, [])
})

t.test('an issuer that is not accepted', async (t) => {
  const issuer = { audience: AUDIENCE, secretFile: 'hmac.txt' }
  const issuers = [
    { ...issuer, name: 'app', issuer: ISSUER },
    { ...issuer, name: 'web', issuer: 'https://web.test' },
  ]
  const env = issuersFile(t, issuers, { 'web.yaml': templateText({ allow: { issuer: 'web' } }) })
  const { app } = await build(t, { env })
  for (const [iss, want] of [
    [ISSUER, { granted: false, refusal: { code: 'policy_not_allowed', detail: "the token's issuer is not accepted" } }],
    ['https://web.test', { granted: true, grant: { roleSessionName: 'web@web.alice' } }],
  ] as const) {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/policies/web/explain',
      headers: { authorization: `Bearer ${mint(claims({ iss }))}` },
      payload: {},
    })
    t.match(response.json(), want)
  }
})
