import { XMLParser } from 'fast-xml-parser'
import t from 'tap'
import { z } from 'zod'
import { VendError } from '../../src/errors.ts'
import { build, SENTINELS } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const token = mint(claims())
const good = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: '2011-06-15',
  RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
  RoleSessionName: 'build-7',
  WebIdentityToken: token,
}
const encode = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const post = (fields: Record<string, string> | string, url = '/v1/aws/sts') => ({
  method: 'POST' as const,
  url,
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  payload: typeof fields === 'string' ? fields : encode(fields),
})
const without = (name: keyof typeof good) => {
  const { [name]: _, ...rest } = good
  return rest
}

/** A session policy in the language of AWS. */
const narrow = (Action: string | string[], keys?: string, bucket = 'test-app') =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: keys === undefined ? '*' : `arn:aws:s3:::${bucket}/${keys}` }],
  })

const failureSchema = z.object({
  ErrorResponse: z.object({
    Error: z.strictObject({ Type: z.string(), Code: z.string(), Message: z.string() }),
    RequestId: z.string(),
  }),
})
const parser = new XMLParser({ parseTagValue: false })
const failureOf = (body: string) => failureSchema.parse(parser.parse(body)).ErrorResponse

t.test('it answers as STS does', async (t) => {
  const { app, asked, logs } = await build(t)
  for (const url of ['/v1/aws/sts', '/v1/aws/sts/']) {
    const answer = await app.inject(post(good, url))
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], 'text/xml')
    t.equal(answer.headers['x-amzn-requestid'], answer.headers['x-request-id'])
    t.equal(answer.headers['cache-control'], 'no-store')
    t.match(answer.body, '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">')
    t.match(parser.parse(answer.body).AssumeRoleWithWebIdentityResponse, {
      AssumeRoleWithWebIdentityResult: {
        Credentials: {
          AccessKeyId: SENTINELS.accessKey,
          SecretAccessKey: SENTINELS.secretKey,
          SessionToken: SENTINELS.sessionToken,
          Expiration: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u,
        },
        SubjectFromWebIdentityToken: 'alice',
        AssumedRoleUser: {
          Arn: 'arn:aws:sts::111111111111:assumed-role/user-upload/user-upload@alice@@build-7',
          AssumedRoleId: 'user-upload:user-upload@alice@@build-7',
        },
      },
      ResponseMetadata: { RequestId: answer.headers['x-request-id'] },
    })
  }
  t.strictSame(
    asked.map(({ roleSessionName }) => roleSessionName),
    ['user-upload@alice@@build-7'],
    'the second found the session of the first',
  )
  t.match(
    logs.lines().find(({ msg }) => msg === 'vended'),
    { policy: 'user-upload', dialect: 'sts' },
  )
})

t.test('the root answers where it is told to, and nowhere else', async (t) => {
  const closed = await build(t)
  t.match((await closed.app.inject(post(good, '/'))).json(), { status: 404, code: 'not_found' })
  t.equal(closed.asked.length, 0)
  const open = await build(t, { env: { AWS_STS_AT_ROOT: 'true' } })
  t.equal((await open.app.inject(post(good, '/'))).statusCode, 200)
  t.equal((await open.app.inject({ url: '/' })).statusCode, 405)
})

t.test('other things that SDKs send are taken or ignored', async (t) => {
  const rows = [
    { name: 'a token with its line end', request: post({ ...good, WebIdentityToken: ` ${token}\r\n` }) },
    {
      name: 'a signature',
      request: { ...post(good), headers: { ...post(good).headers, authorization: 'AWS4-HMAC-SHA256 x' } },
    },
    { name: 'a path before the policy', request: post({ ...good, RoleArn: 'arn:aws:iam::1:role/a/b/user-upload' }) },
    { name: 'another partition', request: post({ ...good, RoleArn: 'arn:aws-cn:iam::1:role/user-upload' }) },
    { name: 'a JRN', request: post({ ...good, RoleArn: 'jrn:iam::111111111111:role/user-upload' }) },
  ]
  for (const { name, request } of rows) {
    t.test(name, async (t) => {
      const { app, asked } = await build(t)
      t.equal((await app.inject(request)).statusCode, 200)
      t.equal(asked[0]?.roleSessionName, 'user-upload@alice@@build-7')
    })
  }
})

t.test(
  'names that SDKs make of the time of day are left out, so that a new process finds the same session',
  async (t) => {
    const { app, asked } = await build(t)
    const made = [
      'botocore-session-1767225600',
      'aws-sdk-js-session-1767225600000',
      'aws-sdk-java-1767225600000',
      '1767225600000000000',
      'aws-sdk-kotlin-1767225600000',
    ]
    for (const RoleSessionName of made) await app.inject(post({ ...good, RoleSessionName }))
    t.strictSame(
      asked.map(({ roleSessionName }) => roleSessionName),
      ['user-upload@alice'],
    )
    for (const RoleSessionName of ['build-1767225600', 'v1', 'botocore-session-x']) {
      await app.inject(post({ ...good, RoleSessionName }))
      t.equal(asked.at(-1)?.roleSessionName, `user-upload@alice@@${RoleSessionName}`)
    }
  },
)

t.test('a new name is a new session, of which one caller causes no more than it may', async (t) => {
  const { app, asked } = await build(t, { env: { RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '2' } })
  const codes = []
  for (const name of ['aa', 'bb', 'cc', 'aa']) {
    codes.push((await app.inject(post({ ...good, RoleSessionName: name }))).statusCode)
  }
  t.strictSame(codes, [200, 200, 400, 200])
  t.equal(asked.length, 2)
})

t.test('a session policy leaves less of the policy, or is refused in its own terms', async (t) => {
  const { app, asked } = await build(t)
  const both = ['oss:PutObject', 'oss:AbortMultipartUpload']
  const rows: { name: string; policy: string; want?: [actions: string[], keys: string]; message?: RegExp }[] = [
    { name: 'actions', policy: narrow('s3:PutObject'), want: [['oss:PutObject'], 'users/alice/*'] },
    { name: 'a prefix', policy: narrow('s3:*', 'users/alice/in/*'), want: [both, 'users/alice/in/*'] },
    {
      name: 'both',
      policy: narrow(['s3:PutObject'], 'users/alice/in/*'),
      want: [['oss:PutObject'], 'users/alice/in/*'],
    },
    {
      name: 'another action',
      policy: narrow(['s3:PutObject', 's3:GetObject']),
      message: /: Policy\/Action\/1 is not an action of this policy \(/u,
    },
    {
      name: 'an action that OSS has not',
      policy: narrow('s3:PutObjectAcl'),
      message: /: Policy must name actions of S3 that OSS has/u,
    },
    {
      name: "a neighbour's folder",
      policy: narrow('s3:*', 'users/bob/*'),
      message: /: Policy\/Resource is not within what this policy opens to you \(/u,
    },
    {
      name: 'another bucket',
      policy: narrow('s3:*', 'users/alice/*', 'other'),
      message: /Resource is in another bucket/u,
    },
    { name: 'a whole bucket', policy: narrow('s3:PutObject', '*'), message: /Policy\/Resource must be/u },
    { name: 'a wildcard', policy: narrow('s3:PutObject', 'users/alice/*/a*'), message: /Policy\/Resource must be/u },
    {
      name: 'a variable',
      policy: narrow('s3:PutObject', 'users/${aws:username}/*'),
      message: /Policy\/Resource must be/u,
    },
    { name: 'a key', policy: narrow('s3:PutObject', 'users/alice/a'), message: /Policy must have one Resource/u },
    {
      name: 'two statements',
      policy: '{"Statement":[{},{}]}',
      message: /Policy must have Version 2012-10-17 and one/u,
    },
  ]
  for (const { name, policy, want, message } of rows) {
    t.test(name, async (t) => {
      const before = asked.length
      const answer = await app.inject(post({ ...good, Policy: policy }))
      t.equal(asked.length - before, want ? 1 : 0)
      if (message) {
        t.match(failureOf(answer.body).Error, { Code: 'MalformedPolicyDocument', Message: message })
        t.notMatch(answer.body, /restrictTo|test-app/u)
        return
      }
      t.equal(answer.statusCode, 200)
      t.match(asked.at(-1)?.roleSessionName, 'user-upload@alice@@build-7')
      t.match(JSON.parse(asked.at(-1)?.policy ?? '').Statement, [
        { Action: want?.[0], Resource: [`jrn:oss:*:111111111111:test-app/${want?.[1]}`] },
      ])
    })
  }
})

t.test('less than an hour is met with an hour', async (t) => {
  const rows = [
    { seconds: '900', want: 3600 },
    { seconds: '3600', want: 3600 },
    { seconds: undefined, want: 3600 },
    { seconds: '899', want: undefined },
    { seconds: '43201', want: undefined },
    { seconds: '7200', want: undefined },
    { seconds: '1e3', want: undefined },
    { seconds: '', want: undefined },
  ]
  for (const { seconds, want } of rows) {
    t.test(`${seconds}`, async (t) => {
      const { app, asked } = await build(t)
      const answer = await app.inject(post({ ...good, ...(seconds !== undefined && { DurationSeconds: seconds }) }))
      t.equal(asked[0]?.durationSeconds, want)
      if (want === undefined) {
        t.equal(answer.statusCode, 400)
        t.match(failureOf(answer.body).Error, { Code: 'ValidationError', Message: /urationSeconds/u })
      }
    })
  }
})

t.test('each refusal has the code and the status that STS gives it', async (t) => {
  const failing = (error: unknown) => ({ assumeRole: () => Promise.reject(error), close: async () => {} })
  const expired = mint(claims({ exp: 1_000_000_000 }))
  const rows = [
    { name: 'another action', request: post({ ...good, Action: 'GetCallerIdentity' }), want: '400 InvalidAction' },
    { name: 'another action alone', request: post({ Action: 'AssumeRole', Version: 'x' }), want: '400 InvalidAction' },
    { name: 'no action', request: post(without('Action')), want: '400 InvalidAction' },
    { name: 'nothing', request: post(''), want: '400 InvalidAction' },
    { name: 'another version', request: post({ ...good, Version: '2010-05-08' }), want: '400 NoSuchVersion' },
    { name: 'no role', request: post(without('RoleArn')), want: '400 ValidationError' },
    {
      name: 'a role that is none',
      request: post({ ...good, RoleArn: 'user-upload'.repeat(4) }),
      want: '400 ValidationError',
    },
    { name: 'no session name', request: post(without('RoleSessionName')), want: '400 ValidationError' },
    { name: 'no token', request: post(without('WebIdentityToken')), want: '400 ValidationError' },
    {
      name: 'a session policy that is not understood',
      request: post({ ...good, Policy: '{}' }),
      want: '400 MalformedPolicyDocument',
    },
    {
      name: 'a wider one',
      request: post({ ...good, Policy: narrow('*', 'users/*') }),
      want: '400 MalformedPolicyDocument',
    },
    {
      name: 'one that narrows nothing',
      request: post({ ...good, Policy: narrow('*') }),
      want: '400 MalformedPolicyDocument',
    },
    { name: 'a long one', request: post({ ...good, Policy: ' '.repeat(2049) }), want: '400 MalformedPolicyDocument' },
    { name: 'an empty one', request: post({ ...good, Policy: '' }), want: '400 MalformedPolicyDocument' },
    {
      name: 'managed policies',
      request: post({ ...good, 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/ReadOnlyAccess' }),
      want: '400 MalformedPolicyDocument',
    },
    { name: 'an unknown field', request: post({ ...good, ProviderId: 'x' }), want: '400 ValidationError' },
    {
      name: 'a bad token',
      request: post({ ...good, WebIdentityToken: `${token}x` }),
      want: '400 InvalidIdentityToken',
    },
    {
      name: 'an expired token',
      request: post({ ...good, WebIdentityToken: expired }),
      want: '400 ExpiredTokenException',
    },
    {
      name: 'not for this caller',
      request: post({ ...good, RoleArn: good.RoleArn.replace('user-upload', 'user-files') }),
      want: '403 AccessDenied',
    },
    {
      name: 'no such policy',
      request: post({ ...good, RoleArn: good.RoleArn.replace('user-upload', 'nope') }),
      want: '403 AccessDenied',
    },
    {
      name: 'a policy with parameters',
      request: post({ ...good, RoleArn: good.RoleArn.replace('user-upload', 'album-upload') }),
      want: '400 ValidationError',
    },
    {
      name: 'a claim that is not safe',
      request: post({ ...good, WebIdentityToken: mint(claims({ sub: 'a*' })) }),
      want: '403 IDPRejectedClaim',
    },
    { name: 'STS refuses', error: new VendError('upstream_denied'), want: '500 InternalFailure' },
    {
      name: 'STS is down',
      error: new VendError('upstream_unavailable', { retryAfterSeconds: 7 }),
      want: '503 ServiceUnavailable',
    },
    { name: 'STS is late', error: new VendError('upstream_timeout'), want: '503 ServiceUnavailable' },
    { name: 'a fault of ours', error: new Error(SENTINELS.secretKey), want: '500 InternalFailure' },
  ]
  for (const { name, request = post(good), error, want } of rows) {
    t.test(name, async (t) => {
      const { app, asked } = await build(t, { ...(error && { dependencies: { source: failing(error) } }) })
      const answer = await app.inject(request)
      const failure = failureOf(answer.body)
      t.equal(`${answer.statusCode} ${failure.Error.Code}`, want)
      t.equal(failure.Error.Type, answer.statusCode < 500 ? 'Sender' : 'Receiver')
      t.equal(failure.RequestId, answer.headers['x-amzn-requestid'])
      t.match(failure.Error.Message, failure.RequestId)
      t.equal(answer.headers['content-type'], 'text/xml')
      t.equal(answer.headers['www-authenticate'], undefined)
      t.equal(asked.length, 0)
      if (want.startsWith('503')) t.match(answer.headers['retry-after'], /^\d+$/u)
    })
  }
  t.test('a policy that is too large', async (t) => {
    const dir = t.testdir({
      'big.yaml': JSON.stringify({
        description: 'd',
        allow: { issuer: 'app' },
        policy: {
          Version: '3',
          Statement: Array.from({ length: 16 }, (_, index) => ({
            Effect: 'Allow',
            Action: ['oss:GetObject'],
            Resource: `jrn:oss:*:\${account}:\${bucket}/u${index}/\${jwt:sub}/*`,
          })),
        },
        examples: [{ caller: { sub: 'a' }, can: ['GetObject u0/a/x'], cannot: ['GetObject u0/b/x'] }],
      }),
    })
    const { app } = await build(t, { env: { POLICIES_DIR: dir } })
    const WebIdentityToken = mint(claims({ sub: 'a'.repeat(128) }))
    const answer = await app.inject(
      post({ ...good, WebIdentityToken, RoleArn: good.RoleArn.replace('user-upload', 'big') }),
    )
    t.equal(`${answer.statusCode} ${failureOf(answer.body).Error.Code}`, '400 PackedPolicyTooLarge')
  })
})

t.test('the limits are those of every other route', async (t) => {
  const bad = post({ ...good, WebIdentityToken: 'nonsense' })
  const rows = [
    { name: 'requests of one address', env: { RATE_LIMIT_ADDRESS_PER_MINUTE: '1' }, request: post(good) },
    { name: 'requests of one caller', env: { RATE_LIMIT_CALLER_PER_MINUTE: '1' }, request: post(good) },
    { name: 'bad tokens', env: { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '1' }, request: bad },
  ]
  for (const { name, env, request } of rows) {
    t.test(name, async (t) => {
      const { app } = await build(t, { env })
      await app.inject(request)
      const answer = await app.inject(request)
      t.equal(`${answer.statusCode} ${failureOf(answer.body).Error.Code}`, '400 Throttling')
      t.match(answer.headers['retry-after'], /^\d+$/u)
    })
  }
})

t.test('GET is not answered, and JSON is not read', async (t) => {
  const { app, asked } = await build(t)
  t.equal((await app.inject({ url: `/v1/aws/sts?${encode(good)}` })).statusCode, 405)
  const json = await app.inject({ method: 'POST', url: '/v1/aws/sts', payload: good })
  t.equal(`${json.statusCode} ${failureOf(json.body).Error.Code}`, '400 ValidationError')
  t.match(failureOf(json.body).Error.Message, 'application/x-www-form-urlencoded')
  const form = {
    ...post(good, '/v1/credentials'),
    headers: { ...post(good).headers, authorization: `Bearer ${token}` },
  }
  t.equal((await app.inject(form)).statusCode, 415, 'nor a form where JSON is read')
  t.equal(asked.length, 0)
})
