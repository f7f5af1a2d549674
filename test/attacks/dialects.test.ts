import { request as httpRequest } from 'node:http'
import fc from 'fast-check'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import t, { type Test } from 'tap'
import { build, SENTINELS } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'
import { claims, mint } from '../helpers/tokens.ts'

const token = mint(claims())
const CONTAINER = '/v1/aws/container-credentials'
const FORM = 'application/x-www-form-urlencoded'
const good = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: '2011-06-15',
  RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
  RoleSessionName: 'build-7',
  WebIdentityToken: token,
}
const encode = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const post = (payload: string, type = FORM) => ({
  method: 'POST' as const,
  url: '/v1/aws/sts',
  headers: { 'content-type': type },
  payload,
})
const get = (path: string, headers: Record<string, string> = { authorization: token }) => ({
  method: 'GET' as const,
  url: `${CONTAINER}/${path}`,
  headers,
})
const parser = new XMLParser({ parseTagValue: false })
const codeOf = (body: string): string => parser.parse(body).ErrorResponse.Error.Code

function mustNotTell(t: Test, text: string, where: string) {
  for (const secret of [token, token.split('.')[2] ?? '', ...Object.values(SENTINELS)]) {
    t.notOk(text.includes(secret), `${where} has no ${secret.slice(0, 20)}`)
  }
}

t.test('a token stands where it belongs, or is none', async (t) => {
  const { app, asked, logs } = await build(t)
  const rows = [
    { name: 'in the query', request: get(`user-upload?token=${token}`, {}), want: 401 },
    {
      name: 'in the query as AWS presigns it',
      request: get(`user-upload?X-Amz-Security-Token=${token}`, {}),
      want: 401,
    },
    { name: 'in the query, beside a good one', request: get(`user-upload?access_token=${token}`), want: 400 },
    { name: 'as the name of a parameter', request: get(`user-upload?${token}=x`), want: 400 },
    { name: 'as a parameter without a name', request: get(`user-upload?${token}`), want: 400 },
    { name: 'as the policy', request: get(token), want: [400, 404] },
    { name: 'twice', request: get('user-upload', { authorization: `${token}, ${token}` }), want: 401 },
    { name: 'behind another scheme', request: get('user-upload', { authorization: `Basic ${token}` }), want: 401 },
    { name: 'behind two schemes', request: get('user-upload', { authorization: `Bearer Bearer ${token}` }), want: 401 },
    {
      name: 'a bare one on another route',
      request: { url: '/v1/policies', headers: { authorization: token } },
      want: 401,
    },
    {
      name: 'in the query of STS',
      request: { ...post(encode(good)), url: `/v1/aws/sts?WebIdentityToken=${token}` },
      want: 400,
    },
    { name: 'with a GET', request: { url: `/v1/aws/sts?${encode(good)}` }, want: 405 },
    {
      name: "in STS's header alone",
      request: {
        ...post(encode({ ...good, WebIdentityToken: 'none' })),
        headers: { 'content-type': FORM, authorization: `Bearer ${token}` },
      },
      want: 400,
    },
    {
      name: 'with its scheme in the form',
      request: post(encode({ ...good, WebIdentityToken: `Bearer ${token}` })),
      want: 400,
    },
    { name: 'as the name of a field', request: post(`${encode(good)}&${token}=x`), want: 400 },
    { name: 'as the role', request: post(encode({ ...good, RoleArn: token })), want: 400 },
    { name: 'as the session name', request: post(encode({ ...good, RoleSessionName: token })), want: 400 },
    { name: 'as the action', request: post(encode({ ...good, Action: token })), want: 400 },
  ]
  for (const { name, request, want } of rows) {
    t.test(name, async (t) => {
      const answer = await app.inject(request)
      t.ok([want].flat().includes(answer.statusCode), `${answer.statusCode}`)
      mustNotTell(t, answer.body + JSON.stringify(answer.headers), 'the answer')
    })
  }
  t.test('two headers', async (t) => {
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const both = `authorization: ${token}\r\nauthorization: ${token}\r\n`
    t.match(
      await sendRaw(url, `GET ${CONTAINER}/user-upload HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${both}\r\n`),
      / 401 /u,
    )
  })
  t.test('nothing was vended and nothing of it is in the log', async (t) => {
    t.equal(asked.length, 0)
    t.ok(logs.lines().length >= rows.length)
    mustNotTell(t, logs.text(), 'the log')
    t.notMatch(logs.text(), /RoleSessionName|WebIdentityToken|access_token/u)
  })
})

t.test('a form or a query has one meaning, or is refused', async (t) => {
  const { app, asked, logs } = await build(t)
  const form = encode(good)
  const forms = [
    { name: 'a field twice', payload: `${form}&RoleArn=arn:aws:iam::000000000000:role/user-files` },
    { name: 'the same value twice', payload: `${form}&Version=2011-06-15` },
    { name: 'a field and its escape', payload: `${form}&R%6FleArn=x` },
    { name: 'two tokens', payload: `${form}&WebIdentityToken=${mint(claims({ sub: 'bob' }))}` },
    { name: 'a list', payload: `${form}&RoleArn[]=x` },
    { name: 'a lower case twin', payload: `${form}&rolearn=x` },
    { name: '__proto__', payload: `${form}&__proto__=x` },
    { name: 'constructor', payload: `${form}&constructor=x` },
    { name: 'a semicolon between', payload: form.replaceAll('&', ';') },
    { name: 'an empty part', payload: `${form}&` },
    { name: 'a part without a value', payload: `${form}&Policy` },
    { name: 'a broken escape', payload: form.replace('build-7', 'build%zz') },
    { name: 'an escape that is not UTF-8', payload: form.replace('build-7', 'build%ff') },
    { name: 'raw bytes', payload: form.replace('build-7', 'buildé') },
    { name: 'raw line ends', payload: `${form}\r\n` },
    { name: 'an escaped line end in a name', payload: form.replace('build-7', 'b%0D%0AX-Evil:1') },
    { name: 'a line end in the role', payload: form.replace('user-upload', 'user-upload%0A') },
    { name: 'a NUL in the role', payload: form.replace('user-upload', 'user-upload%00') },
    { name: 'a role that climbs', payload: form.replace('user-upload', '..%2Fuser-upload') },
    { name: 'a role of another kind', payload: form.replace('role%2Fuser-upload', 'user%2Fuser-upload') },
    { name: 'a narrowing policy', payload: `${form}&Policy=%7B%7D` },
    { name: 'JSON by the name of a form', payload: JSON.stringify(good) },
  ]
  for (const { name, payload } of forms) {
    t.test(`form: ${name}`, async (t) => {
      const answer = await app.inject(post(payload))
      t.equal(answer.statusCode, 400)
      t.match(codeOf(answer.body), /^(?:ValidationError|InvalidAction|MalformedPolicyDocument)$/u)
      t.equal(answer.headers['x-evil'], undefined)
    })
  }
  const queries = [
    'album=a&album=b',
    'album=a&%61lbum=b',
    'album[]=a',
    'album=a&',
    'album',
    '=a',
    'album=%zz',
    'album=%ff',
    'album=a;album=b',
    '__proto__=a',
    'album=a&constructor=b',
    'album=a&policy=user-files',
    'album=',
  ]
  for (const query of queries) {
    t.test(`query: ${query}`, async (t) =>
      t.match((await app.inject(get(`album-upload?${query}`))).json(), { status: /4../u }),
    )
  }
  const types = [
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded2',
    'application/x-www-form-urlencoded, application/json',
    '',
  ]
  for (const type of types) {
    t.test(`media type: ${type || 'none'}`, async (t) => {
      const answer = await app.inject(post(form, type))
      t.equal(answer.statusCode, 400)
      t.equal(codeOf(answer.body), 'ValidationError')
    })
  }
  t.test('nothing was vended', async (t) => {
    t.equal(asked.length, 0)
    mustNotTell(t, logs.text(), 'the log')
  })
})

t.test('a huge form is cut off, whatever its length says', async (t) => {
  const { app, asked } = await build(t)
  const huge = `${encode(good)}&Policy=${'x'.repeat(30_000)}`
  const answer = await app.inject(post(huge))
  t.equal(`${answer.statusCode} ${codeOf(answer.body)}`, '400 ValidationError')
  t.equal(codeOf((await app.inject(post('a&'.repeat(13_000)))).body), 'ValidationError')
  const fields = Array.from({ length: 1500 }, (_, index) => `a${index}=1`).join('&')
  const many = await app.inject(post(fields))
  t.equal(many.statusCode, 400)
  t.ok(many.body.length < 2000, 'nor does the answer grow with it')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const status = await new Promise((resolve, reject) => {
    const chunked = httpRequest(
      `${url}/v1/aws/sts`,
      { method: 'POST', headers: { 'content-type': FORM } },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    chunked.on('error', reject)
    for (let sent = 0; sent < 40_000; sent += 1000) chunked.write('x'.repeat(1000))
    chunked.end()
  })
  t.equal(status, 400)
  t.equal(asked.length, 0)
})

t.test('nothing that a caller sends can write XML of its own', async (t) => {
  const { app } = await build(t)
  const nasty = '</Error></ErrorResponse><AccessKeyId>x</AccessKeyId><!--'
  for (const field of ['Action', 'Version', 'RoleArn', 'RoleSessionName', 'DurationSeconds'] as const) {
    const answer = await app.inject(post(encode({ ...good, [field]: nasty })))
    t.equal(answer.statusCode, 400, field)
    t.equal(XMLValidator.validate(answer.body), true)
    t.notMatch(answer.body, /AccessKeyId|<!--/u)
  }
  const parts = fc.constantFrom(
    '<',
    '>',
    '&',
    '"',
    "'",
    ']]>',
    '<!--',
    '\u0000',
    '\r\n',
    '\ud800',
    '\ufffe',
    '&#0;',
    '照',
    'a',
  )
  const subjects = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
    fc.array(parts, { minLength: 1 }).map((all) => all.join('')),
  )
  const dir = t.testdir({
    'shared.yaml': JSON.stringify({
      description: 'd',
      allow: { issuer: 'app' },
      policy: {
        Version: '3',
        Statement: [
          { Effect: 'Allow', Action: ['oss:GetObject'], Resource: 'jrn:oss:*:${account}:${bucket}/handbook/*' },
        ],
      },
      examples: [{ caller: { sub: 'a' }, can: ['GetObject handbook/x'], cannot: ['GetObject other/x'] }],
    }),
  })
  const open = await build(t, { env: { POLICIES_DIR: dir } })
  await fc.assert(
    fc.asyncProperty(subjects, async (sub) => {
      const WebIdentityToken = mint(claims({ sub }))
      const RoleArn = good.RoleArn.replace('user-upload', 'shared')
      const { statusCode, body } = await open.app.inject(post(encode({ ...good, RoleArn, WebIdentityToken })))
      if (statusCode !== 200) return codeOf(body) === 'InvalidIdentityToken'
      const read = parser.parse(body)?.AssumeRoleWithWebIdentityResponse?.AssumeRoleWithWebIdentityResult
      return (
        XMLValidator.validate(body) === true &&
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no way to write them
        !/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/u.test(body) &&
        body.isWellFormed() &&
        Object.keys(read).join() === 'Credentials,SubjectFromWebIdentityToken,AssumedRoleUser' &&
        read.Credentials.AccessKeyId === SENTINELS.accessKey
      )
    }),
    { numRuns: 300 },
  )
})

t.test('the name of the policy is a name and no path', async (t) => {
  const { app, asked } = await build(t)
  const paths = [
    '..%2fuser-upload',
    '%2e%2e/user-upload',
    'user-upload/..',
    'user-upload/',
    'user-upload%2f',
    'user-upload%00',
    'user-upload%0d%0a',
    'user-upload.yaml',
    'USER-UPLOAD',
    'user-upload;a=b',
    'user-upload%3Fa=b',
    '%zz',
    '%ff',
    '',
    'x'.repeat(200),
    '__proto__',
    'constructor',
  ]
  for (const path of paths) {
    t.test(path.slice(0, 30) || 'none', async (t) => t.match((await app.inject(get(path))).statusCode, /^40[04]$/u))
  }
  t.test('nothing was vended', async (t) => t.equal(asked.length, 0))
})

t.test("a session name is its caller's own, and opens nothing", async (t) => {
  const { app, asked } = await build(t)
  const ask = (sub: string, RoleSessionName: string) =>
    app.inject(post(encode({ ...good, RoleSessionName, WebIdentityToken: mint(claims({ sub })) })))
  await ask('alice', 'bob')
  await ask('bob', 'alice')
  await ask('alice@@bob', '==')
  await ask('alice', 'bob@@==')
  await ask('alice', 'user-upload@bob')
  t.equal(new Set(asked.map(({ roleSessionName }) => roleSessionName)).size, asked.length)
  t.equal(asked.length, 5)
  const owners = ['alice', 'bob', 'alice@@bob', 'alice', 'alice']
  for (const [index, owner] of owners.entries()) t.match(asked[index]?.policy, `test-app/users/${owner}/*`)
  for (const { roleSessionName } of asked) t.match(roleSessionName, /^user-upload@(?:alice@@|bob@@|=)/u)
})

t.test('no session but by the same rules as everywhere', async (t) => {
  const { app, asked } = await build(t)
  const bad = [
    mint(claims({ aud: 'https://other.example.test' })),
    mint(claims({ iss: 'https://other.example.test' })),
    mint(claims(), { alg: 'none' }),
    mint(claims(), { typ: 'logout+jwt' }),
    mint(claims({ sub: undefined })),
    mint(claims({ exp: undefined })),
    mint(claims({ nbf: 9_000_000_000 })),
    `${token}.`,
    'x'.repeat(9000),
  ]
  for (const one of bad) {
    t.equal(codeOf((await app.inject(post(encode({ ...good, WebIdentityToken: one })))).body), 'InvalidIdentityToken')
    t.equal((await app.inject(get('user-upload', { authorization: one }))).statusCode, 401)
  }
  // By its own words alone, so that it tells nothing of signature, issuer or audience.
  for (const more of [{}, { iss: 'https://other.example.test' }, { aud: 'x' }]) {
    const over = `${mint(claims({ exp: 1, ...more })).slice(0, -8)}AAAAAAAA`
    t.equal(codeOf((await app.inject(post(encode({ ...good, WebIdentityToken: over })))).body), 'ExpiredTokenException')
  }
  t.equal(asked.length, 0)
})
