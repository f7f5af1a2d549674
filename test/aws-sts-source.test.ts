import { writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { build, onAwsSts } from './helpers/build.ts'
import { run } from './helpers/cli.ts'
import { manualClock } from './helpers/clock.ts'
import { listen } from './helpers/listen.ts'
import { templateText } from './helpers/templates.ts'
import { claims, mint } from './helpers/tokens.ts'
import { countingSource } from './helpers/vending.ts'
import { success } from './sts/aws-harness.ts'

const MINUTE = 60

async function vendor(t: Test, env = {}) {
  const clock = manualClock()
  const { asked, source } = countingSource(clock.now)
  const { app } = await build(t, { env: { ...onAwsSts, ...env }, dependencies: { clock, source } })
  const vend = async (body = {}, tokenSeconds = 86_400) => {
    const token = mint(claims({ exp: clock.now() / 1000 + tokenSeconds }))
    const headers = { authorization: `Bearer ${token}` }
    const payload = { policy: 'user-upload', ...body }
    const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
    return { status: response.statusCode, body: response.json() }
  }
  return { app, asked, vend, clock }
}

t.test('callers may have sessions of 900 seconds, and see the language of the templates', async (t) => {
  const { asked, vend } = await vendor(t)
  const { status, body } = await vend({ durationSeconds: 900 })
  t.equal(status, 200)
  t.match(body, {
    oss: { endpoint: 'https://s3.example.com', bucket: 'test-app' },
    grant: { durationSeconds: 900, resources: ['jrn:oss:*:222222222222:test-app/users/alice/*'] },
  })
  t.equal((await vend()).body.grant.durationSeconds, 3600)
  t.strictSame(
    asked.map(({ durationSeconds }) => durationSeconds),
    [900, 3600],
  )
  for (const durationSeconds of [899, 3601]) t.match(await vend({ durationSeconds }), { status: 400 })
})

t.test('JD Cloud has none under an hour', async (t) => {
  const { app } = await build(t)
  for (const [durationSeconds, detail] of [
    [899, /900/u],
    [900, 'must be whole seconds, 3600 or more'],
    [3599, 'must be whole seconds, 3600 or more'],
  ] as const) {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${mint(claims())}` },
      payload: { policy: 'user-upload', durationSeconds },
    })
    t.equal(response.statusCode, 400)
    t.match(response.json().errors, [{ pointer: '/durationSeconds', detail }])
  }
})

t.test('the role bounds each session, also to a quarter of an hour', async (t) => {
  const { vend } = await vendor(t, { AWS_STS_MAX_SESSION_SECONDS: '900' })
  t.equal((await vend()).body.grant.durationSeconds, 900)
  t.match(await vend({ durationSeconds: 1000 }), { status: 400 })
})

t.test('a session that is bound to its token may have a quarter of an hour', async (t) => {
  const { vend } = await vendor(t, { SESSION_BOUND_TO_TOKEN: 'true' })
  const rows = [
    { left: 15 * MINUTE + 59, want: undefined },
    { left: 16 * MINUTE, want: 900 },
    { left: 31 * MINUTE, want: 1800 },
    { left: 3 * 60 * MINUTE, want: 3600 },
  ]
  for (const { left, want } of rows) {
    const { status, body } = await vend({}, left)
    t.equal(body.grant?.durationSeconds, want, `${left} seconds left`)
    if (want === undefined)
      t.match({ status, body }, { status: 403, body: { detail: /none is shorter than 15 minutes/u } })
  }
})

t.test('AWS SDKs with web identity have the length that they ask for', async (t) => {
  const { app, asked, clock } = await vendor(t)
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
    RoleSessionName: 'nightly',
    WebIdentityToken: mint(claims({ exp: clock.now() / 1000 + 86_400 })),
    DurationSeconds: '900',
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await app.inject({ method: 'POST', url: '/v1/aws/sts', headers, payload: form.toString() })
  t.equal(response.statusCode, 200)
  t.equal(asked[0]?.durationSeconds, 900)
})

t.test('STS is asked in the language of AWS, for the role, and for nothing without a policy', async (t) => {
  const forms: URLSearchParams[] = []
  const endpoint = await listen(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    forms.push(new URLSearchParams(body))
    response.writeHead(403).end()
  })
  const { app } = await build(t, { env: { ...onAwsSts, AWS_STS_ENDPOINT: endpoint }, realSts: true })
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers: { authorization: `Bearer ${mint(claims())}` },
    payload: { policy: 'user-upload' },
  })
  t.equal(response.json().code, 'upstream_denied')
  t.equal(forms.length, 1)
  t.equal(forms[0]?.get('RoleArn'), 'arn:aws:iam::222222222222:role/test-role')
  t.equal(forms[0]?.get('RoleSessionName'), 'user-upload@alice')
  t.strictSame(JSON.parse(forms[0]?.get('Policy') ?? ''), {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
        Resource: ['arn:aws:s3:::test-app/users/alice/*'],
      },
    ],
  })
})

t.test('new keys in files are tested at STS, with a session that opens nothing', async (t) => {
  const [OLD, NEXT] = ['AKIA0Q7ZK3M9XW1VT5RB', 'AKIA7TR2M5QX8ZC4VN1W']
  const directory = t.testdir({ ak: OLD, sk: 'k8Hn2/ypG6CF4JaL0e+Q7zk3M9Xw1vT5rb8hND2Y' })
  const asked: { by: string | undefined; form: URLSearchParams }[] = []
  const endpoint = await listen(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const by = /Credential=([^/]+)\//u.exec(request.headers.authorization ?? '')?.[1]
    asked.push({ by, form: new URLSearchParams(body) })
    if (by === OLD || by === NEXT) response.end(success({ Expiration: '2999-01-01T00:00:00Z' }))
    else response.writeHead(403).end()
  })
  const files = {
    AWS_STS_ACCESS_KEY: '',
    AWS_STS_SECRET_KEY: '',
    AWS_STS_ACCESS_KEY_FILE: `${directory}/ak`,
    AWS_STS_SECRET_KEY_FILE: `${directory}/sk`,
  }
  const env = { ...onAwsSts, ...files, AWS_STS_ENDPOINT: endpoint }
  const { reload, logs } = await build(t, { env, realSts: true })
  const rotate = async (accessKey: string) => {
    await writeFile(`${directory}/ak`, accessKey)
    await reload()
  }
  await rotate('AKIANOBODY0000000000')
  t.match(logs.text(), /"secret":"sts_keys","result":"refused"/u)
  await rotate(NEXT)
  t.match(logs.text(), /"secret":"sts_keys",.*a secret has changed and is in use/u)
  t.strictSame(
    asked.map(({ by }) => by),
    ['AKIANOBODY0000000000', NEXT],
  )
  const form = asked[1]?.form
  t.equal(form?.get('RoleSessionName'), 'oss-vend-key-probe')
  t.equal(form?.get('DurationSeconds'), '900')
  t.strictSame(JSON.parse(form?.get('Policy') ?? '').Statement, [
    {
      Effect: 'Allow',
      Action: ['s3:AbortMultipartUpload'],
      Resource: ['arn:aws:s3:::test-app/.oss-vend-key-probe'],
    },
  ])
})

t.test('the linter knows the lengths of each source', async (t) => {
  const text = (durationSeconds: number) =>
    templateText({
      durationSeconds,
      examples: [{ caller: { sub: 'a' }, can: ['PutObject users/a/1'], cannot: ['PutObject users/b/1'] }],
    })
  const lint = async (durationSeconds: number, env: Record<string, string>) => {
    const directory = t.testdir({ 'mine.yaml': text(durationSeconds) })
    const { out, err } = await run(['policies', 'lint', directory], { env })
    return /duration-[a-z-]+/u.exec(out + err)?.[0]
  }
  const aws = { CREDENTIAL_SOURCE: 'aws-sts' }
  t.equal(await lint(900, {}), 'duration-too-short')
  t.equal(await lint(900, aws), undefined)
  t.equal(await lint(899, aws), 'duration-too-short')
  t.equal(await lint(7200, { ...aws, AWS_STS_MAX_SESSION_SECONDS: '3600' }), 'duration-over-role')
  t.equal(await lint(7200, { ...aws, AWS_STS_MAX_SESSION_SECONDS: '7200' }), undefined)
})
