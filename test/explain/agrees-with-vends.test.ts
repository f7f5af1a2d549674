import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { service } from './harness.ts'

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
      restrictTo: fc.record(
        {
          actions: fc.constantFrom(['oss:PutObject'], ['oss:GetObject'], ['oss:PutObject', 'oss:AbortMultipartUpload']),
          prefix: fc.constantFrom('users/alice/', 'users/alice/a', 'users/alice/albums/trip/', 'public/', 'a*'),
        },
        { requiredKeys: [] },
      ),
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
      post: z.looseObject({ requestBody: bodySchema, responses: z.record(z.string(), bodySchema.partial()) }),
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
  t.match(post.responses['200']?.content?.['application/json']?.schema, { $ref: '#/components/schemas/Explanation' })
  t.strictSame(Object.keys(post.responses), [
    '200',
    '400',
    '401',
    '403',
    '404',
    '408',
    '413',
    '415',
    '429',
    '431',
    '500',
    '503',
  ])
  const problem = validator('Problem')
  for (const { content = {} } of Object.values(post.responses)) {
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
