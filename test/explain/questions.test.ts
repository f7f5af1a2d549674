import t from 'tap'
import { claims, mint } from '../helpers/tokens.ts'
import { service } from './harness.ts'

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
    { name: 'a short session', body: { durationSeconds: 899 }, want: ['/durationSeconds'] },
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
