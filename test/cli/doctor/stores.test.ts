import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { onAwsSts } from '../../helpers/build.ts'
import { listen } from '../../helpers/listen.ts'
import { templateText } from '../../helpers/templates.ts'
import { diagnose, soundCloud } from './harness.ts'

const LOCATION = `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">cn-north-1</LocationConstraint>`

/** A store without any policy. `chunked` is what it makes of a body that is framed as `aws-chunked`. */
function openStore(chunked: 'keeps the frame' | 'takes the frame off' | 'breaks'): RequestListener {
  const objects = new Map<string, string>()
  return (request, response) => {
    const key = new URL(request.url ?? '', 'http://store.test').pathname
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const framed = request.headers['content-encoding'] === 'aws-chunked'
      if (framed && chunked === 'breaks') {
        response.writeHead(500).end()
        return
      }
      if (request.method === 'PUT') {
        objects.set(key, framed && chunked === 'takes the frame off' ? (body.split('\r\n')[1] ?? '') : body)
      }
      if (request.method === 'DELETE') objects.delete(key)
      const found = request.method === 'GET' ? objects.get(key) : undefined
      response.end(found ?? LOCATION)
    })
  }
}

const jdcloudAnswer = () => {
  const expiration = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const credentials = { accessKey: 'ak', secretKey: 'sk', sessionToken: 'st', expiration }
  return JSON.stringify({ result: { credentials } })
}

for (const { chunked, want } of [
  {
    chunked: 'keeps the frame',
    want: { status: 'failed', message: /stores the frame/u, remedy: /files are damaged without an error/u },
  },
  { chunked: 'takes the frame off', want: { status: 'passed', message: /stores what is in them/u } },
  { chunked: 'breaks', want: { status: 'not_checked', message: /OSS answered status 500/u } },
] as const) {
  t.test(`aws-chunked: a store that ${chunked}`, async (t) => {
    const { env } = await soundCloud(t)
    const { lines } = await diagnose(
      {
        ...env,
        JDCLOUD_STS_ENDPOINT: await listen(t, (_request, response) => response.end(jdcloudAnswer())),
        OSS_ENDPOINT: await listen(t, openStore(chunked)),
      },
      { probe: true },
    )
    t.match(
      lines.find(({ name }) => name === 'aws-chunked'),
      want,
    )
    t.match(
      lines.find(({ name }) => name === 'bucket'),
      { message: 'test-app is in cn-north-1' },
    )
  })
}

t.test('a bucket whose store tells its region', async (t) => {
  const Action = ['oss:ListBucket']
  const Resource = ['jrn:oss:*:111111111111:test-app']
  const rolePolicies = [{ Version: '3' as const, Statement: [{ Effect: 'Allow' as const, Action, Resource }] }]
  const { env } = await soundCloud(t, { rolePolicies })
  const bucketOf = async (changes = {}) =>
    (await diagnose({ ...env, ...changes })).lines.find(({ name }) => name === 'bucket')
  t.match(await bucketOf(), { status: 'passed', message: 'test-app is in cn-north-1' })
  for (const { told, want } of [
    { told: 'cn-south-1', want: { status: 'failed', message: 'test-app is not in cn-north-1 but in cn-south-1' } },
    { told: 'SENTINEL', want: { status: 'failed', message: 'test-app is not in cn-north-1 but in another region' } },
    { told: '', want: { status: 'passed', message: 'test-app is there' } },
  ]) {
    const document = LOCATION.replace('cn-north-1', told)
    const answer = { OSS_ENDPOINT: await listen(t, (_request, response) => response.end(document)) }
    t.match(await bucketOf(answer), want, told)
  }
})

/** An AWS-compatible STS that gives sessions of the sandbox, or refuses. */
const awsSts = (t: Test, refusal?: string) =>
  listen(t, (request, response) => {
    if (request.method === 'GET') {
      response.end()
      return
    }
    if (refusal !== undefined) {
      response.writeHead(403).end(`<ErrorResponse><Error><Code>${refusal}</Code></Error></ErrorResponse>`)
      return
    }
    const expiration = new Date(Date.now() + 3_600_000).toISOString()
    response.end(
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ak</AccessKeyId><SecretAccessKey>sk</SecretAccessKey><SessionToken>st</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    )
  })

t.test('a store with an AWS-compatible STS is checked by the names of its own settings', async (t) => {
  const { env } = await soundCloud(t)
  const example = { caller: { sub: 'alice' }, can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }
  const store = {
    ...env,
    ...onAwsSts,
    AWS_STS_REGION: 'us-east-1',
    POLICIES_DIR: t.testdir({ 'mine.yaml': templateText({ examples: [example] }) }),
    OSS_ENDPOINT: await listen(t, openStore('takes the frame off')),
  }
  const good = await diagnose({ ...store, CORS_ORIGINS: '', AWS_STS_ENDPOINT: await awsSts(t) })
  t.equal(good.exitCode, 0, JSON.stringify(good.lines))
  t.ok(good.named('passed').includes('template mine'))
  for (const { refusal, name, setting } of [
    { refusal: 'InvalidClientTokenId', name: 'keys', setting: 'AWS_STS_ACCESS_KEY' },
    { refusal: 'SignatureDoesNotMatch', name: 'keys', setting: 'AWS_STS_SECRET_KEY' },
    { refusal: 'AccessDeniedException', name: 'role', setting: 'AWS_STS_ROLE_ARN' },
  ]) {
    const bad = await diagnose({ ...store, AWS_STS_ENDPOINT: await awsSts(t, refusal) })
    t.strictSame(bad.named('failed'), [name], refusal)
    t.strictSame(bad.lines.find(({ status }) => status === 'failed')?.settings, [setting])
  }
})
