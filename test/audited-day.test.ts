import t from 'tap'
import { audited, CHAIN_KEY } from './helpers/audited.ts'
import { run } from './helpers/cli.ts'
import { claims, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'
import { metric } from './helpers/vending.ts'

const bearer = (more: Record<string, unknown> = {}) =>
  `Bearer ${mint(claims({ scope: 'oss.upload oss.files', ...more }))}`
const authorization = bearer()
const post = (url: string, payload: unknown, headers: Record<string, string> = { authorization }) => ({
  method: 'POST' as const,
  url,
  headers: { 'content-type': 'application/json', ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})
const get = (url: string, headers: Record<string, string> = { authorization }) => ({
  method: 'GET' as const,
  url,
  headers,
})
const form = (fields: Record<string, string>) => ({
  method: 'POST' as const,
  url: '/v1/aws/sts',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  payload: new URLSearchParams(fields).toString(),
})
const assume = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: '2011-06-15',
  RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
  RoleSessionName: 'laptop',
  WebIdentityToken: mint(claims()),
}
const url = { policy: 'user-upload', operation: 'PutObject', key: 'users/alice/a.jpg' }
const formFor = { policy: 'user-upload', keyPrefix: 'users/alice/', maxBytes: 100 }
const alone = (sub: string) => ({ authorization: bearer({ sub }) })

/** Requests for decisions with the wanted outcome and code, in the order of the day. */
const DAY = [
  { ask: post('/v1/credentials', { policy: 'user-upload' }), want: 'issued' },
  { ask: post('/v1/credentials', { policy: 'user-upload' }), want: 'issued' },
  { ask: post('/v1/credentials', { policy: 'album-upload', params: { album: 'trip' } }), want: 'issued' },
  { ask: get('/v1/aws/container-credentials/user-upload'), want: 'issued' },
  { ask: form(assume), want: 'issued' },
  { ask: post('/v1/presigned-urls', url), want: 'issued' },
  { ask: post('/v1/presigned-posts', formFor), want: 'issued' },
  { ask: post('/v1/credentials', { policy: 'user-upload' }, {}), want: 'refused unauthenticated' },
  {
    ask: post('/v1/credentials', { policy: 'user-upload' }, { authorization: 'Bearer x' }),
    want: 'refused unauthenticated',
  },
  { ask: get('/v1/aws/container-credentials/user-upload', {}), want: 'refused unauthenticated' },
  { ask: form({ ...assume, WebIdentityToken: 'x.y.z' }), want: 'refused unauthenticated' },
  { ask: post('/v1/credentials', '{"policy":'), want: 'refused invalid_request' },
  { ask: post('/v1/credentials', { policy: '../x' }), want: 'refused invalid_request' },
  { ask: post('/v1/credentials', ' '.repeat(20_000)), want: 'refused payload_too_large' },
  {
    ask: post('/v1/credentials', 'x', { authorization, 'content-type': 'text/plain' }),
    want: 'refused unsupported_media_type',
  },
  { ask: post('/v1/credentials', { policy: 'nope' }), want: 'refused policy_not_found' },
  {
    ask: post('/v1/credentials', { policy: 'user-files' }, { authorization: bearer({ scope: 'x' }) }),
    want: 'refused policy_not_allowed',
  },
  { ask: post('/v1/credentials', { policy: 'user-upload' }, alone('a*')), want: 'refused unsafe_value' },
  { ask: post('/v1/presigned-urls', { ...url, key: 'users/bob/a.jpg' }), want: 'refused key_not_allowed' },
  { ask: post('/v1/presigned-posts', { ...formFor, keyPrefix: 'users/' }), want: 'refused key_not_allowed' },
  { ask: form({ ...assume, Version: '1' }), want: 'refused invalid_request' },
  { ask: post('/v1/credentials', { policy: 'user-upload' }, alone('sts-down')), want: 'failed upstream_unavailable' },
  { ask: post('/v1/credentials', { policy: 'user-upload' }, alone('sts-denies')), want: 'failed upstream_denied' },
  { ask: post('/v1/credentials', { policy: 'user-upload' }, alone('bug')), want: 'failed internal_error' },
]

/** Requests on which nothing is decided. */
const OTHERS = [
  get('/livez', {}),
  get('/readyz', {}),
  get('/v1/policies'),
  get('/v1/policies', {}),
  post('/v1/explain', { policy: 'user-upload' }),
  get('/v1/credentials'),
  get('/nowhere'),
  { method: 'OPTIONS' as const, url: '/v1/credentials', headers: { origin: 'https://a.test' } },
]

t.test('on a day of mixed traffic, each request has one event, and nothing else has', async (t) => {
  const { app, file, metrics, lines, told } = await audited(t)
  for (const { ask } of DAY) {
    await app.inject(ask)
    for (const other of OTHERS) await app.inject(other)
  }
  await app.close()
  t.strictSame(
    told(),
    DAY.map(({ want }) => want),
  )
  const totals = await Promise.all(
    ['issued', 'refused', 'failed'].map((outcome) => metric(metrics, 'oss_vend_audit_events_total', { outcome })),
  )
  t.strictSame(totals, [7, 14, 3])
  t.equal(
    totals.reduce((sum, one) => sum + one),
    DAY.length,
    'issued + refused + failed = requests',
  )
  t.equal(await metric(metrics, 'oss_vend_audit_lost_total'), 0)
  t.strictSame(
    lines().map((line) => JSON.parse(line).id),
    Array.from({ length: DAY.length + 2 }, (_, i) => String(i).padStart(12, '0')),
    'with the start and the stop of the run',
  )
  const { exitCode, out } = await run(['audit', 'verify', file], { env: { AUDIT_CHAIN_KEY: CHAIN_KEY } })
  t.equal(exitCode, 0, out)
})

t.test('a limit or an overload that refuses before a route runs has its event, too', async (t) => {
  const measure = { read: () => ({ eventLoopDelayMs: 0, heapPercent: 100, rssMb: 0 }), close: () => {} }
  const rows = [
    {
      name: 'the limit of addresses',
      env: { RATE_LIMIT_ADDRESS_PER_MINUTE: '1' },
      want: 'rate_limited',
      reason: 'address',
    },
    {
      name: 'the limit of callers',
      env: { RATE_LIMIT_CALLER_PER_MINUTE: '1' },
      want: 'rate_limited',
      reason: 'caller',
    },
  ]
  for (const { name, env, want, reason } of rows) {
    t.test(name, async (t) => {
      const { app, decisions } = await audited(t, env)
      for (let i = 0; i < 3; i++) await app.inject(post('/v1/credentials', { policy: 'user-upload' }))
      await app.close()
      t.strictSame(
        decisions().map(({ outcome }) => outcome),
        ['issued', 'refused', 'refused'],
      )
      t.match(decisions()[2], { code: want, reason, ...(reason === 'caller' && { subject: 'alice' }) })
    })
  }
  t.test('a batch that counts as more requests than are left', async (t) => {
    const { app, decisions } = await audited(t, { RATE_LIMIT_CALLER_PER_MINUTE: '2' })
    const keys = Array.from({ length: 50 }, (_, i) => `users/alice/${i}`)
    await app.inject(post('/v1/presigned-urls', { policy: 'user-upload', operation: 'PutObject', keys }))
    await app.close()
    t.match(decisions(), [{ code: 'rate_limited', policy: 'user-upload', subject: 'alice' }])
  })
  t.test('overload', async (t) => {
    const { app, told, logs } = await audited(t, {}, { measure, clock: undefined })
    await app.ready()
    await until(() => logs.text().includes('overloaded: requests are shed'))
    await app.inject(post('/v1/credentials', { policy: 'user-upload' }))
    await app.close()
    t.strictSame(told(), ['failed overloaded'])
  })
})

t.test('one line that is altered, removed or moved is found, whichever it is', async (t) => {
  const { app, file, lines } = await audited(t)
  for (const { ask } of DAY.slice(0, 9)) await app.inject(ask)
  await app.close()
  const good = lines()
  const verify = async (changed: readonly string[]) => {
    const dir = t.testdir({ 'audit.log': `${changed.join('\n')}\n` })
    const args = ['audit', 'verify', '--json', '--head', JSON.parse(good.at(-1) ?? '').mac, `${dir}/audit.log`]
    const { exitCode, out } = await run(args, { env: { AUDIT_CHAIN_KEY: CHAIN_KEY } })
    return { exitCode, kinds: new Set<string>(JSON.parse(out).faults.map(({ kind }: { kind: string }) => kind)) }
  }
  t.strictSame(await verify(good), { exitCode: 0, kinds: new Set() }, file)
  for (const [index, line] of good.entries()) {
    const altered = await verify(good.with(index, line.replace('"time":"2', '"time":"1')))
    t.ok(altered.exitCode === 1 && altered.kinds.has('changed'), `line ${index} altered`)
    const removed = await verify(good.toSpliced(index, 1))
    if (index === 0) t.strictSame(removed, { exitCode: 0, kinds: new Set() }, 'the first of a file is told as a note')
    else t.equal(removed.exitCode, 1, `line ${index} removed`)
    const moved = await verify(good.toSpliced(index, 1).toSpliced((index + 3) % good.length, 0, line))
    t.equal(moved.exitCode, 1, `line ${index} moved`)
  }
})
