import { DeleteBucketCorsCommand, GetBucketCorsCommand, PutBucketCorsCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { request } from 'undici'
import { BUCKET, OWNER, outcome, startOss } from './harness.ts'

const RULES = [
  {
    ID: 'app',
    AllowedOrigins: ['https://app.example', 'https://*.app.example'],
    AllowedMethods: ['PUT', 'POST'],
    AllowedHeaders: ['Content-Type', 'x-amz-*'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: 600,
  },
  { AllowedOrigins: ['*'], AllowedMethods: ['GET'] },
]

async function start(t: Parameters<typeof startOss>[0]) {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  await s3.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: { CORSRules: RULES } }))
  return { ...oss, s3 }
}

t.test('rules can be read and deleted', async (t) => {
  const { s3 } = await start(t)
  t.strictSame((await s3.send(new GetBucketCorsCommand({ Bucket: BUCKET }))).CORSRules, RULES)
  await s3.send(new DeleteBucketCorsCommand({ Bucket: BUCKET }))
  t.equal(await outcome(s3.send(new GetBucketCorsCommand({ Bucket: BUCKET }))), '404 NoSuchCORSConfiguration')
})

t.test('invalid rules are refused', async (t) => {
  const { s3 } = await start(t)
  const rule = { AllowedOrigins: ['*'], AllowedMethods: ['GET'] }
  const rows = [
    { name: 'two stars', rule: { ...rule, AllowedOrigins: ['https://*.*'] } },
    { name: 'an unknown method', rule: { ...rule, AllowedMethods: ['PATCH'] } },
    { name: 'no method', rule: { ...rule, AllowedMethods: [] } },
    { name: 'a header that would end the header', rule: { ...rule, ExposeHeaders: ['a\r\nset-cookie: b'] } },
  ]
  for (const { name, rule } of rows) {
    t.test(name, async (t) => {
      const command = new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: { CORSRules: [rule] } })
      t.equal(await outcome(s3.send(command)), '400 MalformedXML')
      t.equal((await s3.send(new GetBucketCorsCommand({ Bucket: BUCKET }))).CORSRules?.length, 2)
    })
  }
})

t.test('preflights', async (t) => {
  const oss = await start(t)
  const ask = (origin: string, method: string, headers?: string) => ({
    origin,
    'access-control-request-method': method,
    ...(headers !== undefined && { 'access-control-request-headers': headers }),
  })
  const app = 'https://app.example'
  const refused = { status: 403, text: /AccessForbidden/u, origin: undefined }
  const rows = [
    { name: 'its origin', headers: ask(app, 'PUT', 'content-type, X-Amz-Date'), want: { status: 200, origin: app } },
    {
      name: 'an origin below',
      headers: ask('https://a.app.example', 'PUT'),
      want: { status: 200, origin: 'https://a.app.example' },
    },
    { name: 'any origin', headers: ask('https://evil.example', 'GET'), want: { status: 200, origin: '*' } },
    { name: 'another origin', headers: ask('https://evil.example', 'PUT'), want: refused },
    { name: 'an origin with the same end', headers: ask('https://evilapp.example', 'PUT'), want: refused },
    { name: 'the origin null', headers: ask('null', 'PUT'), want: refused },
    { name: 'another method', headers: ask(app, 'DELETE'), want: refused },
    { name: 'another header', headers: ask(app, 'PUT', 'content-type,x-other'), want: refused },
    { name: 'any origin, with a header', headers: ask(app, 'GET', 'content-type'), want: refused },
    {
      name: 'without an origin',
      headers: { 'access-control-request-method': 'PUT' },
      want: { status: 400, text: /BadRequest/u },
    },
    { name: 'without a method', headers: { origin: app }, want: { status: 400, text: /BadRequest/u } },
  ]
  for (const { name, headers, want } of rows) {
    t.test(name, async (t) => {
      const answer = await request(`${oss.url}/${BUCKET}/users/alice/a`, { method: 'OPTIONS', headers })
      const got = {
        status: answer.statusCode,
        text: await answer.body.text(),
        origin: answer.headers['access-control-allow-origin'],
      }
      t.match(got, want)
    })
  }
  t.test('all headers', async (t) => {
    const headers = ask(app, 'PUT', 'content-type, X-Amz-Date')
    const answer = await request(`${oss.url}/${BUCKET}/a`, { method: 'OPTIONS', headers })
    t.match(answer.headers, {
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'PUT, POST',
      'access-control-allow-headers': 'content-type, x-amz-date',
      'access-control-expose-headers': 'ETag',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    })
  })
  t.test('for a missing bucket', async (t) => {
    const answer = await request(`${oss.url}/nobody/a`, { method: 'OPTIONS', headers: ask(app, 'PUT') })
    t.equal(answer.statusCode, 403)
  })
})

t.test('an allowed page can read answers and refusals', async (t) => {
  const oss = await start(t)
  const rows = [
    {
      name: 'an upload',
      call: { method: 'PUT', headers: { origin: 'https://app.example' } },
      want: [200, 'https://app.example'],
    },
    {
      name: 'a refusal',
      call: { method: 'PUT', region: 'x', headers: { origin: 'https://app.example' } },
      want: [400, 'https://app.example'],
    },
    { name: 'a download', call: { headers: { origin: 'https://evil.example' } }, want: [200, '*'] },
    {
      name: 'another origin',
      call: { method: 'PUT', headers: { origin: 'https://evil.example' } },
      want: [200, undefined],
    },
    { name: 'no origin', call: {}, want: [200, undefined] },
  ]
  for (const { name, call, want } of rows) {
    t.test(name, async (t) => {
      oss.bucket.put('key', Buffer.from('x'))
      const { status, headers } = await oss.call(call)
      t.strictSame([status, headers['access-control-allow-origin']], want)
    })
  }
})
