import t from 'tap'
import { build, withTokenCacheOnAndOff } from '../helpers/build.ts'
import { manualClock } from '../helpers/clock.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { countingSource } from '../helpers/vending.ts'

const test = withTokenCacheOnAndOff(t)

const TEMPLATES = {
  'day.yaml': `
description: The longest sessions.
allow: { claims: { scope: [oss.upload] } }
durationSeconds: 43200
policy:
  Version: "3"
  Statement:
    - { Effect: Allow, Action: oss:PutObject, Resource: "jrn:oss:*:\${account}:\${bucket}/users/\${jwt:sub}/*" }
examples:
  - caller: { sub: alice, scope: oss.upload }
    can: [PutObject users/alice/1.jpg]
    cannot: [PutObject users/bob/1.jpg]
`,
}

async function vendor(t: Parameters<typeof build>[0], bound: boolean) {
  const clock = manualClock()
  const { asked, source } = countingSource(clock.now)
  const env = {
    POLICIES_DIR: t.testdir(TEMPLATES),
    JDCLOUD_MAX_SESSION_SECONDS: '43200',
    ...(bound && { SESSION_BOUND_TO_TOKEN: 'true' }),
  }
  const { app } = await build(t, { env, dependencies: { clock, source } })
  const post = async (url: string, token: string, payload: object) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await app.inject({ method: 'POST', url, headers, payload })).json()
  }
  const tokenWith = (seconds: number, more = {}) => mint(claims({ exp: clock.now() / 1000 + seconds, ...more }))
  const vend = (token: string, body = {}) => post('/v1/credentials', token, { policy: 'day', ...body })
  const explain = (token: string) => post('/v1/policies/day/explain', token, {})
  return { clock, asked, tokenWith, vend, explain }
}

const HOUR = 3600

test('without the bound, a token with three seconds left is worth a whole session', async (t) => {
  const { vend, tokenWith } = await vendor(t, false)
  t.equal((await vend(tokenWith(3))).grant.durationSeconds, 12 * HOUR)
})

test('with the bound, no session ends after its token', async (t) => {
  const rows = [
    { name: 'three seconds left', left: 3, want: undefined },
    { name: 'an hour left', left: HOUR, want: undefined },
    { name: 'an hour and nearly a minute', left: HOUR + 59, want: undefined },
    { name: 'an hour and a minute', left: HOUR + 60, want: HOUR },
    { name: 'nearly a quarter more', left: HOUR + 959, want: HOUR },
    { name: 'a quarter more', left: HOUR + 960, want: HOUR + 900 },
    { name: 'less than was asked for', left: 2 * HOUR, body: { durationSeconds: 3 * HOUR }, want: 2 * HOUR - 900 },
    { name: 'more than was asked for', left: 9 * HOUR, body: { durationSeconds: HOUR + 7 }, want: HOUR + 7 },
    { name: 'more than there is', left: 20 * HOUR, want: 12 * HOUR },
    { name: 'a token of centuries', left: 1_000_000_000, want: 12 * HOUR },
  ]
  for (const { name, left, body, want } of rows) {
    t.test(name, async (t) => {
      const { vend, explain, tokenWith, clock, asked } = await vendor(t, true)
      const token = tokenWith(left)
      const answer = await vend(token, body)
      const explained = await explain(token)
      t.equal(answer.grant?.durationSeconds, want)
      t.strictSame(
        asked.map(({ durationSeconds }) => durationSeconds),
        want === undefined ? [] : [want],
        'what STS was asked for',
      )
      t.equal(explained.granted, want !== undefined, 'explain says the same')
      if (want === undefined) {
        t.equal(answer.status, 403)
        t.equal(answer.code, 'policy_not_allowed')
        t.match(answer.detail, /^claim "exp" is too near: /u)
        t.equal(explained.refusal.code, 'policy_not_allowed')
      } else t.ok(Date.parse(answer.credentials.expiration) <= clock.now() + left * 1000)
    })
  }
})

test('what a caller may not have is refused for that, and not for its token', async (t) => {
  const { vend, tokenWith } = await vendor(t, true)
  t.match(await vend(tokenWith(3, { scope: 'other' })), { code: 'policy_not_allowed', detail: /"scope"/u })
  t.match(await vend(tokenWith(2 * HOUR), { durationSeconds: 13 * HOUR }), { code: 'invalid_request' })
})

test('a session in the cache is never handed out beyond a token, and not renewed for each second', async (t) => {
  const { vend, tokenWith, clock, asked } = await vendor(t, true)
  const [long, short] = [tokenWith(6 * HOUR), tokenWith(2 * HOUR)]
  const ends = { long: clock.now() + 6 * HOUR * 1000, short: clock.now() + 2 * HOUR * 1000 }
  for (let minute = 0; minute < 55; minute++) {
    for (const [token, end] of [
      [long, ends.long],
      [short, ends.short],
    ] as const) {
      const { credentials, code } = await vend(token)
      t.equal(code, undefined, `minute ${minute}`)
      t.ok(Date.parse(credentials.expiration) <= end, `minute ${minute}: it ends with the token or before`)
    }
    await clock.advance(60_000)
  }
  t.ok(asked.length <= 10, `one call for each quarter of an hour and token: ${asked.length}`)
})

test('a session that STS made longer than it was asked to is not handed out', async (t) => {
  const clock = manualClock()
  const source = {
    ...countingSource(clock.now).source,
    assumeRole: async () => ({
      accessKey: 'a',
      secretKey: 'b',
      sessionToken: 'c',
      expiresAt: clock.now() + 13 * HOUR * 1000,
    }),
  }
  const env = { SESSION_BOUND_TO_TOKEN: 'true' }
  const { app } = await build(t, { env, dependencies: { clock, source } })
  const token = mint(claims({ exp: clock.now() / 1000 + 2 * HOUR }))
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers: { authorization: `Bearer ${token}` },
    payload: { policy: 'user-upload' },
  })
  t.equal(response.json().code, 'upstream_unavailable')
})
