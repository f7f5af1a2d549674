import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { OPERATION_ACTIONS, OSS_ACTIONS } from '../src/policy/language/operations.ts'
import { build } from './helpers/build.ts'
import { issuersFile } from './helpers/config-faults.ts'
import { templateText } from './helpers/templates.ts'
import { AUDIENCE, claims, ISSUER, mint } from './helpers/tokens.ts'

const statement = (Sid: string, Action: string[], path: string) => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource: `jrn:oss:*:\${account}:\${bucket}/${path}`,
})
const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
const policyOf = (...Statement: unknown[]) => ({ policy: { Version: '3', Statement } })

const templates = {
  'open.yaml': templateText({
    durationSeconds: 7200,
    ...policyOf(statement('own', WRITE, 'users/${jwt:sub}/*'), statement('read', ['oss:GetObject'], 'public/*')),
  }),
  'scoped.yaml': templateText({
    allow: { claims: { scope: ['SENTINEL-scope'] } },
    ...policyOf(statement('x', WRITE, 'users/${jwt:sub}/*')),
  }),
  'nobody.yaml': templateText({ allow: undefined }),
  'alternatives.yaml': templateText({
    allow: { any: [{ claims: { tier: { equals: 'SENTINEL-gold' } } }, { claims: { level: { atLeast: 271_828 } } }] },
  }),
  'team.yaml': templateText({
    allow: { claims: { team: { present: true } } },
    sharedBy: 'team',
    ...policyOf(statement('x', WRITE, 'teams/${jwt:team}/*')),
  }),
  'album.yaml': templateText({
    params: { album: { pattern: 'trip|fair|any.*' } },
    ...policyOf(statement('x', WRITE, 'users/${jwt:sub}/${param:album}/*')),
  }),
  'deep.yaml': templateText({
    params: { dir: { kind: 'path' } },
    ...policyOf(statement('x', WRITE, 'users/${jwt:sub}/${param:dir}')),
  }),
}

async function service(t: Test, files: Record<string, string> | undefined = templates) {
  const dir = Object.keys(files).length > 0 ? { POLICIES_DIR: t.testdir(files) } : {}
  const { app, asked } = await build(t, {
    env: { ...dir, JDCLOUD_MAX_SESSION_SECONDS: '43200' },
  })
  const post = (url: string, payload: unknown, who: Record<string, unknown> = {}) =>
    app.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${mint(claims(who))}`, 'content-type': 'application/json' },
      payload: JSON.stringify(payload),
    })
  return {
    app,
    asked,
    explain: (name: string, body: unknown = {}, who?: Record<string, unknown>) =>
      post(`/v1/policies/${name}/explain`, body, who),
    vend: (body: unknown, who?: Record<string, unknown>) => post('/v1/credentials', body, who),
  }
}

const jrn = (path: string) => `jrn:oss:*:111111111111:test-app/${path}`
const object = (path: string) => `jrn:oss:cn-north-1:111111111111:test-app/${path}`

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

t.test('questions that cannot be answered', async (t) => {
  const { explain, asked } = await service(t)
  const pointers = (response: Awaited<ReturnType<typeof explain>>) =>
    response.json().errors?.map(({ pointer }: { pointer: string }) => pointer)
  const rows: { name: string; body: unknown; want: string[] }[] = [
    { name: 'an unknown operation', body: { operation: 'GetObjct', key: 'a' }, want: ['/operation'] },
    { name: 'an OSS action', body: { operation: 'oss:GetObject', key: 'a' }, want: ['/operation'] },
    { name: 'a prototype', body: { operation: 'constructor', key: 'a' }, want: ['/operation'] },
    { name: 'an operation without its key', body: { operation: 'PutObject' }, want: ['/key'] },
    { name: 'a key without an operation', body: { key: 'a' }, want: ['/operation'] },
    { name: 'a key too much', body: { operation: 'ListObjectsV2', key: 'a' }, want: ['/key'] },
    { name: 'a key too much for an account', body: { operation: 'ListBuckets', key: 'a' }, want: ['/key'] },
    { name: 'an empty key', body: { operation: 'PutObject', key: '' }, want: ['/key'] },
    { name: 'a long key', body: { operation: 'PutObject', key: 'x'.repeat(1025) }, want: ['/key'] },
    { name: 'a key that is a number', body: { operation: 'PutObject', key: 7 }, want: ['/key'] },
    { name: 'an unknown field', body: { polcy: 'x' }, want: ['/polcy'] },
    { name: 'params that are a list', body: { params: ['x'] }, want: ['/params'] },
    { name: 'a param that is an object', body: { params: { a: {} } }, want: ['/params/a'] },
    { name: 'a short session', body: { durationSeconds: 900 }, want: ['/durationSeconds'] },
    { name: 'a list', body: [], want: [''] },
  ]
  for (const { name, body, want } of rows) {
    t.test(name, async (t) => {
      const response = await explain('open', body)
      t.equal(response.statusCode, 400)
      t.match(response.headers['content-type'], 'application/problem+json')
      t.match(response.json(), { code: 'invalid_request', status: 400 })
      t.strictSame(pointers(response), want)
    })
  }
  t.test('the question is looked at before the caller', async (t) => {
    const response = await explain('scoped', { operation: 'PutObject' })
    t.equal(response.statusCode, 400)
    t.strictSame(pointers(response), ['/key'])
  })
  t.strictSame(asked, [])
})

t.test('policies that there are not', async (t) => {
  const { explain } = await service(t)
  for (const [name, status, code] of [
    ['unknown', 404, 'policy_not_found'],
    ['constructor', 404, 'policy_not_found'],
    ['Open', 400, 'invalid_request'],
    ['..%2fopen', 400, 'invalid_request'],
    ['open.yaml', 400, 'invalid_request'],
  ] as const) {
    const response = await explain(name)
    t.equal(response.statusCode, status, name)
    t.equal(response.json().code, code, name)
    t.equal(response.headers['cache-control'], 'no-store')
  }
})

t.test('the same authentication as a vend', async (t) => {
  const { app, asked } = await service(t)
  const now = Math.floor(Date.now() / 1000)
  const rows = [
    { name: 'none', authorization: undefined },
    { name: 'another scheme', authorization: 'Basic YWxpY2U6eA==' },
    { name: 'no token', authorization: 'Bearer ' },
    { name: 'rubbish', authorization: 'Bearer x.y.z' },
    { name: 'expired', authorization: `Bearer ${mint(claims({ exp: now - 3600 }))}` },
    { name: 'of another audience', authorization: `Bearer ${mint(claims({ aud: 'x' }))}` },
    { name: 'of another issuer', authorization: `Bearer ${mint(claims({ iss: 'https://x.test' }))}` },
    { name: 'signed by nobody', authorization: `Bearer ${mint(claims(), { alg: 'none' })}` },
    { name: 'without a subject', authorization: `Bearer ${mint(claims({ sub: undefined }))}` },
  ]
  for (const { name, authorization } of rows) {
    t.test(name, async (t) => {
      const answers = await Promise.all(
        ['/v1/policies/open/explain', '/v1/policies/unknown/explain', '/v1/credentials'].map((url) =>
          app.inject({
            method: 'POST',
            url,
            headers: { ...(authorization && { authorization }) },
            payload: { policy: 'open' },
          }),
        ),
      )
      for (const { statusCode, headers, body } of answers) {
        t.equal(statusCode, 401)
        t.match(JSON.parse(body), { code: 'unauthenticated' })
        t.equal(headers['www-authenticate'], answers.at(-1)?.headers['www-authenticate'])
      }
    })
  }
  t.strictSame(asked, [])
})

t.test('who asks for nothing more sends no body', async (t) => {
  const { app } = await service(t)
  const headers = { authorization: `Bearer ${mint(claims())}` }
  const response = await app.inject({ method: 'POST', url: '/v1/policies/open/explain', headers })
  t.equal(response.statusCode, 200)
  t.match(response.json(), { granted: true, grant: { policy: 'open' } })
})

t.test('it agrees with what a vend then gives', async (t) => {
  const { explain, vend, asked } = await service(t, {})
  const unusual = fc.constantFrom('a*', '../b', 'x/y', 'ü', 'e\u0301', 'x'.repeat(129))
  const name = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('alice', 'alice', 'bob') },
    { weight: 1, arbitrary: unusual },
  )
  const scope = fc.oneof(
    { weight: 4, arbitrary: fc.constant('oss.upload oss.files oss.download') },
    { weight: 1, arbitrary: fc.constantFrom('oss.upload', 'oss.other', '') },
  )
  const body = fc.record(
    {
      params: fc.dictionary(fc.constantFrom('album', 'x'), fc.oneof(name, fc.constantFrom('trip', 'A', 7)), {
        maxKeys: 2,
      }),
      durationSeconds: fc.constantFrom(3600, 3600, 3600, 3600, 3601),
    },
    { requiredKeys: [] },
  )
  const question = fc.record({
    operation: fc.constantFrom('PutObject', 'PutObject', 'GetObject', 'DeleteObject', 'AbortMultipartUpload'),
    key: fc
      .tuple(
        fc.constantFrom('users/', 'users/', 'users/', 'public/', ''),
        fc.constantFrom('alice', 'alice', 'bob', '*'),
        fc.constantFrom('', '/1', '/albums/trip/1', '/albums/trip/1'),
      )
      .map((parts) => parts.join('')),
  })
  const policy = fc.constantFrom('user-upload', 'user-files', 'album-upload', 'shared-download')
  const seen = { granted: 0, refused: 0, allowed: 0 }
  const property = fc.asyncProperty(policy, name, scope, body, question, async (policy, sub, scope, body, question) => {
    const before = asked.length
    const explained = (await explain(policy, { ...body, ...question }, { sub, scope })).json()
    if (asked.length > before) return false
    const vended = await vend({ policy, ...body }, { sub, scope })
    if (vended.statusCode !== 200) {
      seen.refused++
      const { code, detail, errors } = vended.json()
      const refusal = { code, ...(detail !== undefined && { detail }), ...(errors && { errors }) }
      if (explained.granted === undefined) return JSON.stringify(explained.code) === JSON.stringify(code)
      return JSON.stringify(explained) === JSON.stringify({ granted: false, refusal })
    }
    seen.granted++
    if (explained.answer.allowed) seen.allowed++
    // STS was asked for this policy, now or by an earlier vend whose session is still good.
    const request = asked.findLast(
      ({ policy, roleSessionName }) =>
        policy === JSON.stringify(explained.sessionPolicy) && roleSessionName === explained.grant.roleSessionName,
    )
    // The key is in one of the folders that the vend tells of, or it is not allowed.
    const inside = vended.json().oss.prefixes.some((prefix: string) => question.key.startsWith(prefix))
    return (
      request !== undefined &&
      explained.granted === true &&
      JSON.stringify(explained.grant) === JSON.stringify(vended.json().grant) &&
      explained.answer.allowed === (inside && explained.grant.actions.includes(explained.answer.action))
    )
  })
  await fc.assert(property, { numRuns: 1500 })
  t.ok(seen.granted > 100, `${seen.granted} were granted`)
  t.ok(seen.refused > 200, `${seen.refused} were refused`)
  t.ok(seen.allowed > 5, `${seen.allowed} were allowed`)
})

const mediaSchema = z.looseObject({
  schema: z.looseObject({}),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
})
const bodySchema = z.looseObject({ content: z.record(z.string(), mediaSchema) })
const documentSchema = z.looseObject({
  paths: z.looseObject({
    '/v1/policies/{name}/explain': z.looseObject({
      post: z.looseObject({ requestBody: bodySchema, responses: z.record(z.string(), bodySchema) }),
    }),
  }),
  components: z.looseObject({
    schemas: z.record(z.string(), z.looseObject({ examples: z.array(z.unknown()).optional() })),
  }),
})

t.test('its OpenAPI examples validate against their schemas, and so do its answers', async (t) => {
  const { app, explain } = await service(t)
  const document = documentSchema.parse((await app.inject({ url: '/openapi.json' })).json())
  const { post } = document.paths['/v1/policies/{name}/explain']
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'https://api.example.test/openapi', ...document })
  const validator = (title: string) =>
    ajv.compile({ $ref: `https://api.example.test/openapi#/components/schemas/${title}` })
  let examples = 0
  for (const [title, { examples: given = [] }] of Object.entries(document.components.schemas)) {
    const validate = validator(title)
    for (const example of given) {
      examples++
      t.ok(validate(example), `${title}: ${JSON.stringify(validate.errors)}`)
    }
  }
  t.ok(examples > 3)
  t.match(post.requestBody.content['application/json']?.schema, { $ref: '#/components/schemas/ExplainRequest' })
  t.match(post.responses['200']?.content['application/json']?.schema, { $ref: '#/components/schemas/Explanation' })
  t.strictSame(Object.keys(post.responses), ['200', '400', '401', '404', '413', '415', '429', '500', '503'])
  const problem = validator('Problem')
  for (const { content } of Object.values(post.responses)) {
    for (const { value } of Object.values(content['application/problem+json']?.examples ?? {})) t.ok(problem(value))
  }
  const validate = validator('Explanation')
  const question = { operation: 'PutObject', key: 'users/alice/1' }
  for (const response of [
    await explain('open', question),
    await explain('open'),
    await explain('scoped'),
    await explain('album'),
  ]) {
    t.ok(validate(response.json()), JSON.stringify(validate.errors))
  }
  t.notOk(validate({ granted: false }), 'and not everything does')
  t.notOk(validator('ExplainRequest')({ operation: 'x' }))
})
