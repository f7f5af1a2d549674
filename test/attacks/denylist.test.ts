import { writeFileSync } from 'node:fs'
import t from 'tap'
import { denying, everyRoute, tokenOf, tokenOfPartner, twoIssuers } from '../denylist/harness.ts'
import { withTokenCacheOnAndOff } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'
import { heldSource, metric } from '../helpers/vending.ts'

const withBoth = withTokenCacheOnAndOff(t)
const DENIED = '403 caller_denied'
const fileOf = (content: object) => JSON.stringify(content)
const ALICE = fileOf({ subjects: [{ subject: 'alice', issuer: 'app', reason: 'ticket 4711' }] })

withBoth('no route serves a denied subject, nor tells who decided', async (t) => {
  const file = `${t.testdir({ deny: ALICE })}/deny`
  const service = await denying(t, { env: { DENY_FILE: file } })
  const { app, asked, denied, logs } = service
  const wants: Record<string, number> = { sts: 403 }
  const requests = Object.entries(everyRoute(tokenOf('alice')))
  for (const [name, request] of requests) {
    const answer = await app.inject(request)
    t.equal(answer.statusCode, wants[name] ?? 403, name)
    t.match(answer.body, name === 'sts' ? '<Code>AccessDenied</Code>' : '"code":"caller_denied"', name)
    t.notMatch(answer.body, /alice|ticket|subject|file/u, name)
    t.equal(answer.headers['www-authenticate'], undefined, 'no token is asked for')
    t.equal(answer.headers['retry-after'], undefined)
  }
  t.strictSame(asked, [], 'STS is not called')
  t.equal(await denied('subject'), requests.length)
  t.match(
    logs.lines().find(({ code }) => code === 'caller_denied'),
    {
      deniedBy: 'subject',
      source: 'file',
      issuer: 'app',
      why: 'ticket 4711',
    },
  )
  for (const [name, request] of Object.entries(everyRoute(tokenOf('bob'), 'users/bob/a'))) {
    t.equal((await app.inject(request)).statusCode, 200, `${name}, for another`)
  }
})

withBoth('a revoked token is a token that does not verify', async (t) => {
  const file = `${t.testdir({ deny: fileOf({ tokenIds: [{ tokenId: 'stolen', issuer: 'app' }] }) })}/deny`
  const { app, denied, asked, logs } = await denying(t, { env: { DENY_FILE: file } })
  const forged = await app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${tokenOf()}x` } })
  for (const [name, request] of Object.entries(everyRoute(tokenOf('alice', 'stolen')))) {
    const answer = await app.inject(request)
    if (name === 'sts') {
      t.equal(answer.statusCode, 400)
      t.match(answer.body, '<Code>InvalidIdentityToken</Code>')
      continue
    }
    t.equal(answer.statusCode, 401, name)
    t.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
    if (name === 'container') continue
    t.strictSame({ ...answer.json(), requestId: 0 }, { ...forged.json(), requestId: 0 }, 'nobody can tell why')
  }
  t.equal(await denied('token'), 8)
  t.strictSame(asked, [])
  t.ok(logs.lines().some(({ reason, deniedBy }) => reason === 'revoked' && deniedBy === 'token'))
  t.equal(
    (await app.inject(everyRoute(tokenOf('alice', 'another')).credentials)).statusCode,
    200,
    'another token of hers',
  )
})

withBoth('every caller of a denied issuer is refused, and no other', async (t) => {
  const { vend, denied } = await denying(t, { env: twoIssuers(t, fileOf({ issuers: [{ issuer: 'partner' }] })) })
  t.strictSame([await vend(tokenOfPartner('alice')), await vend(tokenOfPartner('bob'))], [DENIED, DENIED])
  t.equal(await vend(tokenOf('alice')), 200)
  t.equal(await denied('issuer'), 2)
})

t.test('a subject is denied at its own issuer alone', async (t) => {
  const { vend } = await denying(t, { env: twoIssuers(t, ALICE) })
  t.strictSame([await vend(tokenOf('alice')), await vend(tokenOfPartner('alice'))], [DENIED, 200])
})

t.test('a forger learns nothing about who is denied', async (t) => {
  const file = `${t.testdir({ deny: ALICE })}/deny`
  const { app, denied } = await denying(t, { env: { DENY_FILE: file } })
  const forge = (sub: string) =>
    mint(claims({ sub }), {}, 'a-guessed-secret-of-more-than-thirty-two-bytes-for-tests-only-42')
  const answers = await Promise.all(
    ['alice', 'bob'].map((sub) =>
      app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${forge(sub)}` } }),
    ),
  )
  t.strictSame(
    answers.map(({ statusCode }) => statusCode),
    [401, 401],
  )
  t.equal(await denied('subject'), 0)
})

t.test('a token that was verified before, and a session in memory, are of no use', async (t) => {
  const file = `${t.testdir({ deny: '{}' })}/deny`
  const { vend, looks, asked, metrics } = await denying(t, { env: { DENY_FILE: file } })
  const remembered = () => metric(metrics, 'oss_vend_token_cache_entries')
  t.strictSame([await vend(), await vend(), await vend(tokenOf('bob'))], [200, 200, 200])
  t.strictSame([asked.length, await remembered()], [2, 2])
  writeFileSync(file, ALICE)
  await looks()
  t.equal(await remembered(), 1, 'her token is forgotten, and no other')
  t.equal(await vend(), DENIED)
  t.equal(await remembered(), 1, 'and is not remembered again')
  writeFileSync(file, '{}')
  await looks()
  t.strictSame([await vend(), asked.length], [200, 3], 'her old session may have been cut off: she has a new one')
  t.strictSame([await vend(), asked.length], [200, 3], 'which is kept')
  t.strictSame([await vend(tokenOf('bob')), asked.length], [200, 3], 'and nobody else needs one')
})

t.test('a token on which an entry falls while it is verified is not remembered', async (t) => {
  const file = `${t.testdir({ deny: ALICE })}/deny`
  const { vend, metrics } = await denying(t, { env: { DENY_FILE: file } })
  t.strictSame([await vend(), await vend()], [DENIED, DENIED])
  t.equal(await metric(metrics, 'oss_vend_token_cache_entries'), 0)
})

/** A service whose STS answers when the test likes, and the content of its file. */
async function held(t: Parameters<typeof denying>[0]) {
  const file = `${t.testdir({ deny: '{}' })}/deny`
  const { asked, source } = heldSource()
  const service = await denying(t, { env: { DENY_FILE: file }, dependencies: { source } })
  const write = async (content: string) => {
    writeFileSync(file, content)
    await service.looks()
  }
  const pay = (call: number) =>
    asked[call]?.pay({
      accessKey: `key-${call}`,
      secretKey: 'b',
      sessionToken: 'c',
      expiresAt: Date.now() + 3_600_000,
    })
  return { ...service, calls: asked, write, pay }
}

t.test('a request that was running when its caller was denied is refused', async (t) => {
  for (const route of ['credentials', 'container', 'sts', 'urls', 'posts'] as const) {
    t.test(route, async (t) => {
      const { app, calls, write, pay } = await held(t)
      const running = app.inject(everyRoute(tokenOf('alice'))[route])
      await until(() => calls.length === 1)
      await write(ALICE)
      pay(0)
      t.equal((await running).statusCode, 403)
    })
  }
  t.test('a revoked token', async (t) => {
    const { app, calls, write, pay } = await held(t)
    const running = app.inject(everyRoute(tokenOf('alice', 'stolen')).credentials)
    await until(() => calls.length === 1)
    await write(fileOf({ tokenIds: [{ tokenId: 'stolen', issuer: 'app' }] }))
    pay(0)
    t.equal((await running).statusCode, 401)
  })
})

t.test('the session of a vend that began before the denial is not handed out after it', async (t) => {
  const { app, calls, write, pay } = await held(t)
  const ask = () => app.inject(everyRoute(tokenOf('alice')).credentials)
  const running = ask()
  await until(() => calls.length === 1)
  await write(ALICE)
  t.equal((await ask()).statusCode, 403)
  await write('{}')
  pay(0)
  // She may be served again: by a session that began after she was let in.
  await until(() => calls.length === 2)
  pay(1)
  t.equal((await running).json().credentials.accessKey, 'key-1')
  t.equal((await ask()).json().credentials.accessKey, 'key-1')
  t.equal(calls.length, 2)
})

t.test('a shared session that signs stays for the others', async (t) => {
  const file = `${t.testdir({ deny: '{}' })}/deny`
  const { app, asked, looks } = await denying(t, { env: { DENY_FILE: file } })
  const sign = async (sub: string) => (await app.inject(everyRoute(tokenOf(sub), `users/${sub}/a`).urls)).statusCode
  t.strictSame([await sign('alice'), await sign('bob'), asked.length], [200, 200, 1])
  writeFileSync(file, ALICE)
  await looks()
  t.strictSame([await sign('alice'), await sign('bob'), asked.length], [403, 200, 1])
})

t.test('a denied caller who goes on asking does not use up the limits of others', async (t) => {
  const file = `${t.testdir({ deny: ALICE })}/deny`
  const limits = { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '2', RATE_LIMIT_ADDRESS_PER_MINUTE: '8' }
  const { vend } = await denying(t, { env: { DENY_FILE: file, ...limits } })
  for (let i = 0; i < 5; i++) t.equal(await vend(), DENIED, 'her token is no guess')
  t.equal(await vend(tokenOf('bob')), 200)
  for (let i = 0; i < 2; i++) await vend()
  t.equal(await vend(), '429 rate_limited', 'her address has its limit')
})
