import t from 'tap'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { serveProfiles, vender } from '../helpers/profiles.ts'
import { AUDIENCE, claims, keys, mint } from '../helpers/tokens.ts'

/** Tokens by the names of those who hold them, so that a step is told by what it refuses. */
type Holders = Readonly<Record<string, string>>

t.test('an issuer moves from HS256 to ES256, and nobody is refused at any step', async (t) => {
  const url = await listen(t, (_request, response) =>
    response.end(JSON.stringify({ keys: [jwk('next', keys.p256.publicKey, { alg: 'ES256' })] })),
  )
  const entry = { name: 'supabase', issuer: 'https://ref.supabase.test/auth/v1', audience: AUDIENCE }
  const of = (sub: string) => claims({ iss: entry.issuer, sub })
  const old = (sub: string) => mint(of(sub))
  const next = (sub: string) => mint(of(sub), { alg: 'ES256', kid: 'next' })
  // Each step is a restart with another file, as replicas are rolled: tokens of the step before are still held.
  const steps: { name: string; keys: object; holders: Holders; refused?: Holders }[] = [
    {
      name: 'the secret alone',
      keys: { secret: keys.hmac },
      holders: { alice: old('alice') },
      refused: { bob: next('bob') },
    },
    {
      name: 'both, before the issuer moves',
      keys: { secret: keys.hmac, jwksUrl: url, jwksTimeoutMs: 10_000 },
      holders: { alice: old('alice') },
    },
    {
      name: 'both, while old tokens are held',
      keys: { secret: keys.hmac, jwksUrl: url, jwksTimeoutMs: 10_000 },
      holders: { alice: old('alice'), bob: next('bob') },
    },
    {
      name: 'both, once the old ones are over',
      keys: { secret: keys.hmac, jwksUrl: url, jwksTimeoutMs: 10_000 },
      holders: { alice: next('alice'), bob: next('bob') },
    },
    {
      name: 'the key set alone',
      keys: { jwksUrl: url, jwksTimeoutMs: 10_000 },
      holders: { alice: next('alice'), bob: next('bob') },
      refused: { mallory: old('mallory') },
    },
  ]
  for (const { name, keys: sources, holders, refused = {} } of steps) {
    t.test(name, async (t) => {
      const { app, vend } = await serveProfiles(t, [{ ...entry, ...sources }])
      await app.ready()
      for (const [sub, token] of Object.entries(holders)) {
        t.equal(await vend(token), `users/supabase/${sub}/`, sub)
        t.equal(await vend(token), `users/supabase/${sub}/`, `${sub} again`)
      }
      for (const [sub, token] of Object.entries(refused)) t.equal(await vend(token), '401 algorithm', sub)
    })
  }
})

t.test('a key server that is down costs the callers of the secret nothing', async (t) => {
  const entry = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE, secret: keys.hmac }
  const { app, vend } = await serveProfiles(t, [{ ...entry, jwksUrl: 'http://127.0.0.1:1/k' }])
  await app.ready()
  const of = claims({ iss: entry.issuer })
  t.equal(await vend(mint(of)), 'users/web/alice/', 'the secret needs no key server')
  t.equal(await vend(mint(of, { alg: 'RS256', kid: 'next' })), '503 keys')
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 200, 'and the service is ready')
})

t.test('Azure moves from v1 to v2 tokens, and one person keeps one folder', async (t) => {
  const tid = '11111111-2222-3333-4444-555555555555'
  // As Azure publishes keys: no alg, and a certificate beside them.
  const set = { keys: [jwk('azure', keys.rsa.publicKey, { x5t: 'azure', x5c: ['MIIC'] })] }
  const url = await listen(t, (_request, response) => response.end(JSON.stringify(set)))
  const entry = {
    name: 'azure',
    issuer: ['https://login.microsoftonline.com/{tid}/v2.0', 'https://sts.windows.net/{tid}/'],
    tenants: [tid],
    audience: ['api://vend', 'f3b0c0de-0000-4000-8000-000000000001'],
    subject: 'oid',
    jwksUrl: url,
    jwksTimeoutMs: 10_000,
  }
  const { app, logs } = await serveProfiles(t, [entry])
  await app.ready()
  const vend = vender({ app, logs })
  const signed = (more: object) => mint(claims({ tid, oid: 'alice', ...more }), { alg: 'RS256', kid: 'azure' })
  const v1 = { iss: `https://sts.windows.net/${tid}/`, aud: 'api://vend', sub: 'pairwise-1', ver: '1.0', appid: 'web' }
  const v2 = {
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    aud: 'f3b0c0de-0000-4000-8000-000000000001',
    sub: 'pairwise-2',
    ver: '2.0',
    azp: 'web',
  }
  for (const [step, token] of [v1, v2, v1, v2].entries()) {
    t.equal(await vend(signed(token)), 'users/azure/alice/', `step ${step}: ${token.ver}`)
    t.equal(await vend(signed({ ...token, oid: 'bob' })), 'users/azure/bob/', `step ${step}: another person`)
  }
})

t.test('an issuer moves to another domain, and one person keeps one folder', async (t) => {
  const entry = {
    name: 'web',
    issuer: ['https://old.test', 'https://new.test'],
    audience: AUDIENCE,
    secret: keys.hmac,
  }
  const { vend } = await serveProfiles(t, [entry])
  for (const iss of entry.issuer) t.equal(await vend(mint(claims({ iss }))), 'users/web/alice/', iss)
  t.equal(await vend(mint(claims({ iss: 'https://newer.test' }))), '401 issuer')
})
