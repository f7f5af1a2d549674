import t from 'tap'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const headers = { authorization: `Bearer ${mint(claims())}`, 'content-type': 'application/json' }

t.test('a body that can be read in two ways is refused', async (t) => {
  const { app, asked } = await build(t)
  const rows = [
    { name: 'a policy named twice', input: '{"policy":"album-upload","policy":"user-upload"}', want: 400 },
    { name: 'the same value twice', input: '{"policy":"user-upload","policy":"user-upload"}', want: 400 },
    { name: 'a name and its escape', input: '{"policy":"album-upload","p\\u006flicy":"user-upload"}', want: 400 },
    {
      name: 'params twice',
      input: '{"policy":"album-upload","params":{"album":"a"},"params":{"album":"b"}}',
      want: 400,
    },
    { name: 'a param twice', input: '{"policy":"album-upload","params":{"album":"a","album":"b"}}', want: 400 },
    { name: 'behind a string of colons', input: '{"policy":"a:\\":b","policy":"user-upload"}', want: 400 },
    { name: '__proto__ twice', input: '{"policy":"user-upload","__proto__":1,"__proto__":{}}', want: 400 },
    { name: 'one name in two objects', input: '{"policy":"album-upload","params":{"policy":"a"}}', want: 400 },
    { name: 'colons in a string', input: '{"policy":"album-upload","params":{"album":"a:b:c"}}', want: 422 },
    { name: 'each name once', input: '{"policy":"album-upload","params":{"album":"a"}}', want: 200 },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const answer = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: input })
      t.equal(answer.statusCode, want)
      if (want === 400) t.match(answer.json(), { code: 'invalid_request' })
    })
  }
  t.test('on every route with a body', async (t) => {
    const payload = '{"operation":"PutObject","operation":"GetObject"}'
    const url = '/v1/policies/user-upload/explain'
    t.match((await app.inject({ method: 'POST', url, headers, payload })).json(), {
      code: 'invalid_request',
      detail: 'an object of the body has two members of one name',
    })
  })
  t.test('STS was asked for the good one alone', async (t) => t.equal(asked.length, 1))
})

t.test('no body is parsed for a path or a method that is unknown', async (t) => {
  const { app, ops } = await build(t, { env: { OPS_PORT: '0' } })
  const rows = [
    { name: 'malformed JSON', payload: '{', type: 'application/json' },
    { name: 'more than is ever read', payload: 'x'.repeat(100_000), type: 'application/json' },
    { name: 'another type', payload: 'x', type: 'text/plain' },
    { name: 'two members of one name', payload: '{"a":1,"a":2}', type: 'application/json' },
  ]
  for (const { name, payload, type } of rows) {
    for (const { url, want } of [
      { url: '/nope', want: [404, 404] },
      { url: '/v1/credentials/', want: [404, 404] },
      { url: '/livez', want: [405, 405] },
      { url: '/docs/static/index.css', want: [405, 404] },
    ]) {
      const request = { method: 'POST' as const, url, headers: { 'content-type': type }, payload }
      const answers = [await app.inject(request), await ops?.inject(request)]
      t.strictSame(
        answers.map((answer) => answer?.json().status),
        want,
        `${name} to ${url}`,
      )
    }
  }
})

t.test('explain needs no body, and the API description says so', async (t) => {
  const { app } = await build(t)
  const { paths } = (await app.inject({ url: '/openapi.json' })).json()
  t.equal(paths['/v1/policies/{name}/explain'].post.requestBody.required, false)
  t.strictSame(paths['/v1/policies/{name}/explain'].post.requestBody.content['application/json'].schema, {
    $ref: '#/components/schemas/ExplainRequest',
  })
  t.equal(paths['/v1/credentials'].post.requestBody.required, true)
  const { authorization } = headers
  const url = '/v1/policies/user-upload/explain'
  t.match((await app.inject({ method: 'POST', url, headers: { authorization } })).json(), { granted: true })
})

t.test('a body in another encoding than it seems is refused', async (t) => {
  const { app } = await build(t)
  const payload = '{"policy":"user-upload"}'
  const rows = [
    { name: 'gzip', input: { 'content-encoding': 'gzip' }, want: 415 },
    { name: 'br', input: { 'content-encoding': 'br' }, want: 415 },
    { name: 'two encodings', input: { 'content-encoding': 'identity, gzip' }, want: 415 },
    { name: 'UTF-16', input: { 'content-type': 'application/json; charset=utf-16' }, want: 415 },
    { name: 'Latin-1, quoted', input: { 'content-type': 'application/json;charset="iso-8859-1"' }, want: 415 },
    { name: 'UTF-8', input: { 'content-type': 'application/json; charset=UTF-8' }, want: 200 },
    { name: 'none', input: { 'content-encoding': 'identity' }, want: 200 },
  ]
  for (const { name, input, want } of rows) {
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { ...headers, ...input },
      payload,
    })
    t.equal(answer.statusCode, want, name)
  }
  const url = '/v1/policies/user-upload/explain'
  t.equal((await app.inject({ method: 'POST', url, headers, payload: 'null' })).statusCode, 400, 'null is no object')
})
