import fc from 'fast-check'
import t from 'tap'
import { VendError } from '../../src/errors.ts'
import { lifeOf } from '../../src/vending/signature-life.ts'
import type { UrlsRequest } from '../../src/vending/signing-request.ts'
import { statement, template } from '../helpers/templates.ts'
import { failure } from '../helpers/vending.ts'
import { put, setUpSigning } from './signing-harness.ts'

const mine = template()
const templates = new Map([['mine', mine]])
const policy = (...Statement: unknown[]) => ({ policy: { Version: '3', Statement } })
const whole = { Effect: 'Allow', Action: ['oss:PutObject', 'oss:AbortMultipartUpload', 'oss:GetObject'] }
const RESOURCE = ['jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/*']
const files = template(policy({ ...whole, Resource: RESOURCE }))

/** The faults of a refused request. */
async function faults(promise: Promise<unknown>) {
  try {
    await promise
    return 'signed'
  } catch (error) {
    if (!(error instanceof VendError)) throw error
    const { code, errors = [], detail } = error
    return { code, ...(detail !== undefined && { detail }), errors: errors.map(({ pointer }) => pointer) }
  }
}

t.test('no session is asked for a caller or a key that is refused', async (t) => {
  const open = template({ allow: { claims: { scope: ['oss.upload'] } }, params: { album: { pattern: '[a-z]+' } } })
  const { signing, asked, alice } = setUpSigning(new Map([['mine', open]]))
  const upload = alice({ scope: 'oss.upload' })
  const params = { album: 'a' }
  const rows = [
    {
      name: 'no such policy',
      caller: upload,
      request: put('users/alice/a', { policy: 'other' }),
      code: 'policy_not_found',
    },
    {
      name: 'a missing claim',
      caller: alice(),
      request: { ...put('users/alice/a'), params },
      code: 'policy_not_allowed',
    },
    { name: 'a missing param', caller: upload, request: put('users/alice/a'), code: 'invalid_request' },
    {
      name: 'a wrong param',
      caller: upload,
      request: { ...put('users/alice/a'), params: { album: '*' } },
      code: 'unsafe_value',
    },
    { name: 'another key', caller: upload, request: { ...put('users/bob/a'), params }, code: 'key_not_allowed' },
    { name: 'no key', caller: upload, request: { ...put('/'), params }, code: 'invalid_request' },
  ]
  const wide = template({
    allow: { claims: { scope: ['oss.upload'] } },
    params: { album: {} },
    ...policy(statement('users/${jwt:sub}/${param:album}/*')),
  })
  const widened = setUpSigning(new Map([['mine', wide]]))
  for (const { name, caller, request, code } of rows) {
    const on = name === 'a wrong param' ? widened.signing : signing
    t.match(await failure(on.signUrls(caller, request)), { code }, name)
  }
  t.strictSame([...asked, ...widened.asked], [])
  t.equal((await signing.signUrls(upload, { ...put('users/alice/a'), params })).signed.length, 1)
})

t.test('one refused key refuses the whole batch, and each is told', async (t) => {
  const { signing, asked, alice } = setUpSigning(templates)
  const keys = ['users/alice/a', 'users/bob/a', 'users/alice/b', 'users/alice2/b']
  const batch: UrlsRequest = { policy: 'mine', operation: 'PutObject', expiresInSeconds: 900, keys }
  t.strictSame(await faults(signing.signUrls(alice(), batch)), {
    code: 'key_not_allowed',
    errors: ['/keys/1', '/keys/3'],
  })
  const odd = { ...batch, keys: ['users/alice/a', 'users/alice/../bob/a'] }
  t.strictSame(await faults(signing.signUrls(alice(), odd)), { code: 'invalid_request', errors: ['/keys/1'] })
  t.strictSame(asked, [])
})

t.test('a caller who could not abort a multipart upload cannot begin one', async (t) => {
  const request: UrlsRequest = {
    policy: 'mine',
    operation: 'CreateMultipartUpload',
    expiresInSeconds: 9,
    key: 'users/alice/a',
  }
  const rest: UrlsRequest = { ...request, operation: 'MultipartUpload', uploadId: 'x', partNumbers: [1] }
  const { signing, alice } = setUpSigning(templates)
  t.strictSame(await faults(signing.signUrls(alice(), request)), { code: 'key_not_allowed', errors: ['/key'] })
  t.strictSame(await faults(signing.signUrls(alice(), rest)), { code: 'key_not_allowed', errors: ['/key'] })
  const able = setUpSigning(new Map([['mine', files]]))
  t.equal((await able.signing.signUrls(able.alice(), request)).signed.length, 1)
  t.equal((await able.signing.signUrls(able.alice(), rest)).signed.length, 3)
})

t.test('a Deny of the own grant counts, though OSS ignores it', async (t) => {
  const denying = template(
    policy(statement('users/${jwt:sub}/*'), { ...statement('users/${jwt:sub}/kept/*'), Effect: 'Deny' }),
  )
  const { signing, alice } = setUpSigning(new Map([['mine', denying]]))
  t.strictSame(await faults(signing.signUrls(alice(), put('users/alice/a'))), 'signed')
  t.match(await faults(signing.signUrls(alice(), put('users/alice/kept/a'))), { code: 'key_not_allowed' })
  const form = { policy: 'mine', expiresInSeconds: 9, minBytes: 0, maxBytes: 9 }
  const prefix = (keyPrefix: string) => faults(signing.signPosts(alice(), { ...form, keyPrefix }))
  t.match(await prefix('users/alice/'), { code: 'key_not_allowed', errors: ['/keyPrefix'] })
  t.match(await prefix('users/alice/kept/a'), { code: 'key_not_allowed' })
  t.equal(await prefix('users/alice/free/'), 'signed')
})

t.test('the session is shared by all callers, and belongs to none', async (t) => {
  const { signing, asked, alice } = setUpSigning(new Map([['mine', files]]))
  const bob = { ...alice(), subject: 'bob', claims: { sub: 'bob' } }
  await signing.signUrls(alice(), put('users/alice/a'))
  await signing.signUrls(bob, put('users/bob/a'))
  await signing.signUrls(alice(), { ...put('users/alice/a'), operation: 'GetObject' })
  const [first, second, third] = asked
  t.strictSame(first, second)
  t.match(first?.needs, { owner: { shared: 'mine.signed-writes' }, validityMs: 900_000, until: 5000 })
  t.match(third?.needs, { owner: { shared: 'mine.signed-reads' } })
})

t.test('the session is as long as the template allows, whatever was asked for', async (t) => {
  const { signing, asked, alice } = setUpSigning(new Map([['mine', template({ durationSeconds: 7200 })]]))
  for (const expiresInSeconds of [1, 900, 43_200]) {
    const { life } = await signing.signUrls(alice(), put('users/alice/a', { expiresInSeconds }))
    t.equal(life.seconds, Math.min(expiresInSeconds, 7200))
  }
  t.strictSame(new Set(asked.map(({ grant }) => grant.durationSeconds)), new Set([7200]))
})

t.test('a template that changes meanwhile is read once', async (t) => {
  const changing = new Map(templates)
  const before = () =>
    void changing.set('mine', template(policy({ ...statement('other/*'), Action: ['oss:GetObject'] })))
  const { signing, asked, alice } = setUpSigning(changing, { before })
  const { signed, grant } = await signing.signUrls(alice(), put('users/alice/a'))
  t.match(signed[0]?.url, 'users/alice/a')
  t.strictSame(grant.prefixes, ['users/alice/'])
  t.match(asked[0]?.grant.policy, 'users/*/*')
  t.match(await faults(signing.signUrls(alice(), put('users/alice/a'))), { code: 'key_not_allowed' })
})

t.test('a signature ends with the token where sessions do', async (t) => {
  const bound = setUpSigning(templates, { boundToToken: true })
  const unbound = setUpSigning(templates)
  const seconds = async ({ signing, alice }: typeof bound, left: number) =>
    (await signing.signUrls(alice({}, left), put('users/alice/a'))).life.seconds
  t.equal(await seconds(unbound, 60), 900)
  t.equal(await seconds(bound, 7200), 900)
  t.equal(await seconds(bound, 60), 60)
  t.equal(bound.asked[0]?.grant.durationSeconds, 3600, 'the session is the same for all')
  t.match(await faults(bound.signing.signUrls(bound.alice({}, 0.5), put('users/alice/a'))), {
    code: 'policy_not_allowed',
  })
  const { signing, alice } = bound
  const form = { policy: 'mine', key: 'users/alice/a', expiresInSeconds: 900, minBytes: 0, maxBytes: 9 }
  const { life, signed } = await signing.signPosts(alice({}, 60), form)
  t.equal(life.seconds, 60)
  const { expiration } = JSON.parse(Buffer.from(signed[0]?.fields.policy ?? '', 'base64').toString())
  t.equal(Date.parse(expiration), life.expiresAt)
})

t.test('no signature outlives its session, its token or a session of its own, by either clock', async (t) => {
  const ms = fc.integer({ min: -5000, max: 50_000_000 })
  const seconds = fc.integer({ min: 1, max: 43_200 })
  const cases = fc.record({ now: fc.nat(2e12), date: ms, monotonic: ms, token: ms, asked: seconds, grant: seconds })
  let cut = 0
  fc.assert(
    fc.property(cases, ({ now, date, monotonic, token, asked, grant }) => {
      const session = { expiresAt: now + date, endsAt: 1000 + monotonic }
      const limits = { askedSeconds: asked, grantSeconds: grant, tokenEndsAt: now + token }
      const ends = Math.min(session.expiresAt, now + monotonic, now + token)
      const most = Math.min(asked, grant)
      try {
        const { at, seconds, expiresAt } = lifeOf(session, limits, { now: () => now, monotonic: () => 1000 })
        if (seconds < most) cut++
        const fits = expiresAt === at + seconds * 1000 && expiresAt <= ends && seconds <= most && seconds >= 1
        return fits && at % 1000 === 0 && at <= now && (seconds === most || expiresAt > ends - 1000)
      } catch (error) {
        return error instanceof VendError && ends < now + 1000
      }
    }),
    { numRuns: 5000 },
  )
  t.ok(cut > 500, `${cut} were cut`)
})

t.test('a session that is too short to be kept counts for the caller', async (t) => {
  const { signing, asked, alice } = setUpSigning(templates, { minValiditySeconds: 3600 })
  await signing.signUrls(alice(), put('users/alice/a'))
  t.match(asked[0]?.needs.owner, { issuer: 'app', subject: 'alice' })
})
