import t from 'tap'
import { build } from './helpers/build.ts'
import { sendRaw } from './helpers/raw.ts'
import { claims, mint } from './helpers/tokens.ts'

const authorization = `Bearer ${mint(claims())}`
const json = { authorization, 'content-type': 'application/json' }

t.test('bad input gets a clear answer and never reaches STS', async (t) => {
  const { app, asked } = await build(t, { env: { JDCLOUD_MAX_SESSION_SECONDS: '7200' } })
  const fault = (pointer: string) => [{ pointer }]
  const album = (value: unknown) => JSON.stringify({ policy: 'album-upload', params: { album: value } })
  const lasting = (durationSeconds: unknown) => JSON.stringify({ policy: 'user-upload', durationSeconds })
  const invalid = { status: 400, code: 'invalid_request' }
  const unsafe = { status: 422, code: 'unsafe_value' }
  const rows = [
    { name: 'malformed JSON', body: '{"policy":', want: invalid },
    { name: 'nothing', body: '', want: invalid },
    { name: 'JSON twice', body: '{"policy":"user-upload"}{}', want: invalid },
    { name: 'a list', body: '[]', want: { ...invalid, errors: fault('') } },
    { name: 'a string', body: '"user-upload"', want: { ...invalid, errors: fault('') } },
    { name: 'null', body: 'null', want: { ...invalid, errors: fault('') } },
    { name: 'no policy', body: '{}', want: { ...invalid, errors: fault('/policy') } },
    {
      name: 'a policy that is a list',
      body: '{"policy":["user-upload"]}',
      want: { ...invalid, errors: fault('/policy') },
    },
    {
      name: 'a policy that is a path',
      body: '{"policy":"../user-upload"}',
      want: { ...invalid, errors: fault('/policy') },
    },
    {
      name: 'a policy of another case',
      body: '{"policy":"User-Upload"}',
      want: { ...invalid, errors: fault('/policy') },
    },
    { name: 'an unknown policy', body: '{"policy":"constructor"}', want: { status: 404, code: 'policy_not_found' } },
    {
      name: 'an unknown field',
      body: '{"policy":"user-upload","role":"admin"}',
      want: { ...invalid, errors: fault('/role') },
    },
    {
      name: 'an unknown field with a slash',
      body: '{"policy":"user-upload","a/b~":1}',
      want: { ...invalid, errors: fault('/a~1b~0') },
    },
    { name: '__proto__', body: '{"policy":"user-upload","__proto__":{"durationSeconds":3600}}', want: invalid },
    {
      name: '__proto__ in params',
      body: '{"policy":"album-upload","params":{"__proto__":{"album":"x"}}}',
      want: invalid,
    },
    {
      name: 'constructor.prototype',
      body: '{"policy":"album-upload","params":{"constructor":{"prototype":{}}}}',
      want: invalid,
    },
    {
      name: 'params as a list',
      body: '{"policy":"album-upload","params":["trip"]}',
      want: { ...invalid, errors: fault('/params') },
    },
    { name: 'a param as a list', body: album(['trip']), want: { ...invalid, errors: fault('/params/album') } },
    {
      name: 'a param as an object',
      body: album({ toString: 'trip' }),
      want: { ...invalid, errors: fault('/params/album') },
    },
    { name: 'a param that is null', body: album(null), want: { ...invalid, errors: fault('/params/album') } },
    { name: 'a param that is a fraction', body: album(1.5), want: { ...invalid, errors: fault('/params/album') } },
    {
      name: 'a param of 10,000 characters',
      body: album('a'.repeat(10_000)),
      want: { ...invalid, errors: fault('/params/album') },
    },
    {
      name: 'a param of 2,000 characters',
      body: album('a'.repeat(2000)),
      want: unsafe,
    },
    { name: 'a param with a wildcard', body: album('*'), want: unsafe },
    {
      name: 'a param with a line break at its end',
      body: album('trip\n'),
      want: unsafe,
    },
    {
      name: 'a param left out',
      body: '{"policy":"album-upload"}',
      want: { ...invalid, errors: fault('/params/album') },
    },
    {
      name: 'a param too many',
      body: '{"policy":"user-upload","params":{"album":"trip"}}',
      want: { ...invalid, errors: fault('/params/album') },
    },
    { name: 'a negative duration', body: lasting(-3600), want: { ...invalid, errors: fault('/durationSeconds') } },
    { name: 'a fractional duration', body: lasting(3600.5), want: { ...invalid, errors: fault('/durationSeconds') } },
    { name: 'a duration as text', body: lasting('3600'), want: { ...invalid, errors: fault('/durationSeconds') } },
    {
      name: 'a duration below what STS grants',
      body: lasting(900),
      want: { ...invalid, errors: fault('/durationSeconds') },
    },
    {
      name: "a duration over the template's",
      body: lasting(3601),
      want: { ...invalid, errors: fault('/durationSeconds') },
    },
    { name: 'a duration over any', body: lasting(1e300), want: { ...invalid, errors: fault('/durationSeconds') } },
    {
      name: 'a body of 1 MB',
      body: `{"policy":"${'x'.repeat(1_000_000)}"}`,
      want: { status: 413, code: 'payload_too_large' },
    },
    { name: 'deep nesting', body: `{"policy":${'['.repeat(7000)}${']'.repeat(7000)}}`, want: invalid },
  ]
  for (const { name, body, want } of rows) {
    t.test(name, async (t) => {
      const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers: json, payload: body })
      t.match({ ...response.json(), status: response.statusCode }, want)
      t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
      t.equal(response.headers['cache-control'], 'no-store')
    })
  }
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ]
  for (const type of types) {
    t.test(`content type ${type}`, async (t) => {
      const headers = { authorization, 'content-type': type }
      const payload = '{"policy":"user-upload"}'
      const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
      t.match({ ...response.json(), status: response.statusCode }, { status: 415, code: 'unsupported_media_type' })
    })
  }
  t.test("a duration over the role's maximum", async (t) => {
    const policies = t.testdir({
      'long.yaml':
        'description: d\nallow: {claims: {scope: oss.upload}}\ndurationSeconds: 43200\npolicy: {Version: "3", Statement: [{Effect: Allow, Action: oss:PutObject, Resource: "jrn:oss:*:${account}:${bucket}/${jwt:sub}/*"}]}',
    })
    const long = await build(t, { env: { POLICIES_DIR: policies, JDCLOUD_MAX_SESSION_SECONDS: '7200' } })
    const vend = async (durationSeconds?: number) => {
      const payload = { policy: 'long', ...(durationSeconds && { durationSeconds }) }
      const response = await long.app.inject({ method: 'POST', url: '/v1/credentials', headers: json, payload })
      return response.json()
    }
    t.match(await vend(7201), {
      code: 'invalid_request',
      errors: [{ pointer: '/durationSeconds', detail: 'must be at most 7200 for this policy' }],
    })
    t.match(await vend(7200), { grant: { durationSeconds: 7200 } })
    t.match(await vend(), { grant: { durationSeconds: 7200 } }, 'and it is the default')
  })
  t.test('STS was never asked', async (t) => t.strictSame(asked, []))
})

t.test('who is not authenticated is refused before the body is looked at', async (t) => {
  const { app } = await build(t)
  for (const payload of ['{"policy":', `{"policy":"${'x'.repeat(1_000_000)}"}`]) {
    const headers = { 'content-type': 'application/json' }
    const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
    t.equal(response.statusCode, 401)
  }
})

t.test('over the wire', async (t) => {
  const { app, asked } = await build(t, { env: { REQUEST_TIMEOUT_MS: '1000' } })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const head = `POST /v1/credentials HTTP/1.1\r\nhost: x\r\n`
  const rows = [
    { name: 'half-open before the headers end', bytes: head, want: 'HTTP/1.1 408 Request Timeout' },
    {
      name: 'half-open in the body',
      bytes: `${head}authorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      want: 'HTTP/1.1 408 Request Timeout',
    },
    { name: 'not HTTP', bytes: '\x16\x03\x01\x02\x00\r\n\r\n', want: 'HTTP/1.1 400 Bad Request' },
    {
      name: 'headers of 30 KiB',
      bytes: `${head}x: ${'x'.repeat(30_000)}\r\n\r\n`,
      want: 'HTTP/1.1 431 Request Header Fields Too Large',
    },
    {
      name: 'length and chunked',
      bytes: `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      want: 'HTTP/1.1 400 Bad Request',
    },
    {
      name: 'two Authorization headers',
      bytes: `${head}authorization: ${authorization}\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`,
      want: 'HTTP/1.1 401 Unauthorized',
    },
    {
      name: 'a second Authorization behind more headers than Node keeps',
      bytes: `${head}authorization: ${authorization}\r\n${'a:\r\n'.repeat(2100)}authorization: ${authorization}\r\nconnection: close\r\n\r\n`,
      want: 'HTTP/1.1 401 Unauthorized',
    },
    {
      name: 'a bad token with a body that never comes',
      bytes: `${head}authorization: Bearer x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      want: 'HTTP/1.1 401 Unauthorized',
    },
    {
      name: 'a chunked body that is too large',
      bytes: `${head}authorization: ${authorization}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5000\r\n${'x'.repeat(0x5000)}\r\n`,
      want: 'HTTP/1.1 413 Payload Too Large',
    },
    {
      name: 'more headers than are allowed',
      bytes: `GET /livez HTTP/1.1\r\nhost: x\r\n${'a:\r\n'.repeat(99)}connection: close\r\n\r\n`,
      want: 'HTTP/1.1 400 Bad Request',
    },
    {
      name: 'no Host',
      bytes: 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n',
      want: 'HTTP/1.1 400 Bad Request',
    },
    {
      name: 'two Host headers',
      bytes: 'GET /livez HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n',
      want: 'HTTP/1.1 400 Bad Request',
    },
    {
      name: 'a Host that is no name',
      bytes: 'GET /livez HTTP/1.1\r\nhost: a b/@\r\nconnection: close\r\n\r\n',
      want: 'HTTP/1.1 400 Bad Request',
    },
    {
      name: 'a path that cannot be decoded',
      bytes: 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      want: 'HTTP/1.1 400 Bad Request',
    },
    {
      name: 'a method nobody knows',
      bytes: 'BREW /v1/credentials HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      want: 'HTTP/1.1 400 Bad Request',
    },
  ]
  for (const { name, bytes, want } of rows) {
    t.test(name, async (t) => {
      const answer = await sendRaw(url, bytes)
      t.equal(answer.split('\r\n', 1)[0], want)
      t.equal(answer.match(/HTTP\/1\.1 /gu)?.length, 1, 'one answer')
      t.match(answer.toLowerCase(), 'content-type: application/problem+json')
      t.match(answer, /x-request-id: [\w-]{36}/iu)
    })
  }
  t.strictSame(asked, [])
})

t.test('a body that is no JSON is told from one that is not allowed', async (t) => {
  const { app } = await build(t)
  const rows = [
    { name: 'cut off', payload: '{"policy":', want: 'the body is not valid JSON' },
    { name: 'empty', payload: '', want: 'the body is empty' },
    {
      name: 'a prototype',
      payload: '{"__proto__":{}}',
      want: 'an object of the body has a member that is not allowed',
    },
  ]
  for (const { name, payload, want } of rows) {
    t.test(name, async (t) => {
      const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers: json, payload })
      t.match(response.json(), { status: 400, code: 'invalid_request', detail: want })
    })
  }
})
