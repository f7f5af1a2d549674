import t from 'tap'
import { z } from 'zod'
import { VendError } from '../../src/errors.ts'
import { parse } from '../../src/http/validation.ts'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

t.test('a fault says what the field must be', async (t) => {
  const int = z.int().min(900).max(43_200)
  const rows: { name: string; schema: z.ZodType; value: unknown; want: string }[] = [
    { name: 'a missing field', schema: int, value: undefined, want: 'is required' },
    { name: 'a text for a number', schema: int, value: 'secret', want: 'must be a whole number' },
    { name: 'null', schema: int, value: null, want: 'must be a whole number' },
    { name: 'a fraction', schema: int, value: 1000.5, want: 'must be a whole number' },
    { name: 'a large number', schema: int, value: 50_000, want: 'must be at most 43200' },
    { name: 'a small number', schema: int, value: 1, want: 'must be at least 900' },
    { name: 'a list for a record', schema: z.record(z.string(), z.string()), value: [], want: 'must be an object' },
    { name: 'a list for an object', schema: z.strictObject({}), value: [], want: 'must be an object' },
    { name: 'an object for a list', schema: z.array(z.string()), value: {}, want: 'must be an array' },
    { name: 'an empty list', schema: z.array(z.string()).min(1), value: [], want: 'must not be empty' },
    { name: 'a long list', schema: z.array(z.string()).max(1), value: ['a', 'b'], want: 'must have at most 1 items' },
    { name: 'an empty text', schema: z.string().min(1), value: '', want: 'must not be empty' },
    { name: 'a long text', schema: z.string().max(2), value: 'secret', want: 'must have at most 2 characters' },
    { name: 'a short text', schema: z.string().min(4), value: 'abc', want: 'must have at least 4 characters' },
    { name: 'another choice', schema: z.enum(['a', 'b']), value: 'secret', want: 'must be one of a, b' },
    { name: 'another constant', schema: z.literal('a'), value: 'secret', want: 'must be a' },
    { name: 'a number for a boolean', schema: z.boolean(), value: 1, want: 'must be true or false' },
    { name: 'the words of the schema', schema: z.string('is odd'), value: 1, want: 'is odd' },
  ]
  for (const { name, schema, value, want } of rows) {
    t.test(name, async (t) => {
      try {
        parse(z.strictObject({ 'a/b': schema }), { 'a/b': value })
        t.fail('it was accepted')
      } catch (error) {
        t.ok(error instanceof VendError)
        t.match(error, { code: 'invalid_request', errors: [{ pointer: '/a~1b', detail: want }] })
      }
    })
  }
})

const signing = { policy: 'user-upload', params: { a: 'x' }, expiresInSeconds: 60 }
const restrictTo = { actions: ['oss:GetObject'], prefix: 'users/' }
const presigned = '/v1/presigned-urls'
/** A full body of each route. */
const BODIES: readonly (readonly [path: string, body: Readonly<Record<string, unknown>>])[] = [
  [
    '/v1/credentials',
    {
      policy: 'user-upload',
      params: { a: 'x' },
      durationSeconds: 900,
      restrictTo,
      minValiditySeconds: 900,
      fresh: true,
    },
  ],
  [
    '/v1/policies/{name}/explain',
    { params: { a: 'x' }, durationSeconds: 900, restrictTo, operation: 'PutObject', key: 'a' },
  ],
  ['/v1/presigned-posts', { ...signing, key: 'a', minBytes: 1, maxBytes: 2, contentType: 'image/png' }],
  [presigned, { ...signing, operation: 'GetObject', key: 'a' }],
  [presigned, { ...signing, operation: 'GetObject', keys: ['a'] }],
  [presigned, { ...signing, operation: 'PutObject', key: 'a', contentType: 'image/png', contentMd5: 'x' }],
  [presigned, { ...signing, operation: 'MultipartUpload', key: 'a', uploadId: 'x', partNumbers: [1] }],
]

const WRONG = [undefined, null, '', '\n', 'x'.repeat(3000), -1, 0.5, 1e300, true, [], [{}], [1e300], {}, { '/': {} }]

t.test('no route speaks in the words of zod', async (t) => {
  const { app } = await build(t, {
    env: {
      RATE_LIMIT_ADDRESS_PER_MINUTE: '60000',
      RATE_LIMIT_CALLER_PER_MINUTE: '60000',
      RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '6000',
    },
  })
  const headers = { authorization: `Bearer ${mint(claims())}`, 'content-type': 'application/json' }
  const { paths } = (await app.inject('/openapi.json')).json()
  const withBody = Object.keys(paths).filter((path) =>
    JSON.stringify(paths[path].post?.requestBody ?? {}).includes('application/json'),
  )
  t.strictSame([...new Set(BODIES.map(([path]) => path))].toSorted(), withBody.toSorted(), 'every route is here')
  let faults = 0
  for (const [path, body] of BODIES) {
    for (const field of Object.keys(body)) {
      for (const wrong of WRONG) {
        const url = path.replace('{name}', 'user-upload')
        const payload = JSON.stringify({ ...body, [field]: wrong })
        const answer = await app.inject({ method: 'POST', url, headers, payload })
        if (answer.statusCode !== 400) continue
        const { errors = [] } = answer.json()
        faults += errors.length
        for (const { detail } of errors) {
          const at = `${path} ${field} ${detail}`
          t.notMatch(detail, /^(?:Invalid|Too|Unrecognized)|undefined|record|received|expected|xxx/u, at)
          t.match(detail, /^(?:is |must |has |belongs )/u, at)
        }
      }
    }
  }
  t.ok(faults > 300)
})
