import { createHmac, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { certificateOf } from '../helpers/certificate.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { serveProfiles } from '../helpers/profiles.ts'
import { AUDIENCE, claims, keys, mint, pem } from '../helpers/tokens.ts'

const PARTNER_SECRET = 'the-secret-of-a-partner-of-more-than-thirty-two-bytes-4711-0815'
const HOME_SECRET = 'the-secret-of-the-house-of-more-than-thirty-two-bytes-2718-2818'
const V2 = 'https://login.microsoftonline.com/{tid}/v2.0'
const V1 = 'https://sts.windows.net/{tid}/'
const v2 = (tenant: string) => V2.replace('{tid}', tenant)

const azure = {
  name: 'azure',
  issuer: [V2, V1],
  tenants: ['one', 'two'],
  subject: 'oid',
  audience: AUDIENCE,
  secret: keys.hmac,
}
const partner = { name: 'partner', issuer: 'https://partner.test', audience: AUDIENCE, secret: PARTNER_SECRET }
const home = {
  name: 'home',
  issuer: 'none',
  audience: 'none',
  subject: 'userId',
  subjectType: 'integer',
  secret: HOME_SECRET,
}

const ofAzure = (more: object = {}) => claims({ iss: v2('one'), tid: 'one', oid: 'alice', ...more })
const ofPartner = (more: object = {}) => claims({ iss: partner.issuer, ...more })
const ofHome = (more: object = {}) => {
  const { iss, aud, sub, ...rest } = claims()
  return { ...rest, userId: 7, ...more }
}

t.test('no token of one issuer is taken for one of another', async (t) => {
  const { vend, asked } = await serveProfiles(t, [azure, partner, home])
  const forged = (json: string) => mint(JSON.stringify(ofHome()).replace('"userId":7', json), {}, HOME_SECRET)
  const rows: { name: string; token: string; want: string }[] = [
    { name: "Azure's, by a partner's secret", token: mint(ofAzure(), {}, PARTNER_SECRET), want: '401 signature' },
    { name: "a partner's, by Azure's secret", token: mint(ofPartner(), {}, keys.hmac), want: '401 signature' },
    {
      name: "a partner's, without its iss",
      token: mint(ofPartner({ iss: undefined }), {}, PARTNER_SECRET),
      want: '401 subject',
    },
    {
      name: "a partner's, without its iss and with a number",
      token: mint(ofPartner({ iss: undefined, userId: 7 }), {}, PARTNER_SECRET),
      want: '401 signature',
    },
    {
      name: "the house's, with the iss of a partner",
      token: mint(ofHome({ iss: partner.issuer, aud: AUDIENCE, sub: 'x' }), {}, HOME_SECRET),
      want: '401 signature',
    },
    ...['', 'none', null, [], {}, 'https://home.test'].map((iss) => ({
      name: `the house's, with the iss ${JSON.stringify(iss)}`,
      token: mint(ofHome({ iss }), {}, HOME_SECRET),
      want: '401 issuer',
    })),
    ...['evil', 'one/../evil', 'ONE', 'one%2f', '', '{tid}', 'one/v2.0/two'].map((tenant) => ({
      name: `tenant ${tenant}`,
      token: mint(ofAzure({ iss: v2(tenant), tid: tenant }), {}, keys.hmac),
      want: '401 issuer',
    })),
    {
      name: 'tenant in front',
      token: mint(ofAzure({ iss: `https://evil.test/${v2('one')}` }), {}, keys.hmac),
      want: '401 issuer',
    },
    { name: 'tenant with a tail', token: mint(ofAzure({ iss: `${v2('one')}/` }), {}, keys.hmac), want: '401 issuer' },
    {
      name: 'two tenants in a list',
      token: mint(ofAzure({ iss: [v2('one'), v2('two')] }), {}, keys.hmac),
      want: '401 issuer',
    },
    ...['two', 'evil', undefined, ['one'], null, 'One'].map((tid) => ({
      name: `tid ${JSON.stringify(tid)}`,
      token: mint(ofAzure({ tid }), {}, keys.hmac),
      want: '401 tenant',
    })),
    { name: 'no subject of its own', token: mint(ofAzure({ oid: undefined }), {}, keys.hmac), want: '401 subject' },
    { name: 'a number for a text', token: mint(ofAzure({ oid: 7 }), {}, keys.hmac), want: '401 subject' },
    ...['"7"', '7.0', '70e-1', '7.00000000000000000001', '-0', '1e21', '9007199254740993', '[7]', 'null', 'true'].map(
      (value) => ({
        name: `userId ${value}`,
        token: forged(`"userId":${value}`),
        want: '401 subject',
      }),
    ),
    { name: 'a number that is nested', token: forged('"a":{"userId":7}'), want: '401 subject' },
    { name: "the house's without an end", token: mint(ofHome({ exp: undefined }), {}, HOME_SECRET), want: '401 date' },
    { name: "the house's that is over", token: mint(ofHome({ exp: 1 }), {}, HOME_SECRET), want: '401 expired' },
  ]
  for (const { name, token, want } of rows) t.equal(await vend(token), want, name)
  t.strictSame(asked, [], 'STS is never asked')
  t.equal(await vend(mint(ofAzure({ sub: 'bob' }))), 'users/azure/alice/', 'and what is theirs is theirs')
  t.equal(
    await vend(mint(ofAzure({ iss: V1.replace('{tid}', 'two'), tid: 'two', oid: 'carol' }))),
    'users/azure/carol/',
  )
  t.equal(await vend(mint(ofPartner(), {}, PARTNER_SECRET)), 'users/partner/alice/')
  t.equal(await vend(mint(ofHome({ sub: 'bob' }), {}, HOME_SECRET)), 'users/home/7/')
})

t.test('a client that is named in a claim is named by text alone', async (t) => {
  const cognito = { ...partner, name: 'cognito', audience: ['web', 'app'], audienceClaim: 'client_id' }
  const { vend } = await serveProfiles(t, [cognito])
  const rows = [
    { named: { client_id: 'web' }, want: 'users/cognito/alice/' },
    { named: { client_id: 'web', aud: 'https://other.test' }, want: 'users/cognito/alice/' },
    ...[['web'], ['web', 'app'], 'web app', 7, { 0: 'web' }, 'Web', '', null, undefined].map((client_id) => ({
      named: { client_id, aud: 'web' },
      want: '401 audience',
    })),
  ]
  for (const { named, want } of rows) {
    const token = mint(ofPartner({ aud: undefined, ...named }), {}, PARTNER_SECRET)
    t.equal(await vend(token), want, JSON.stringify(named))
  }
})

t.test('a secret beside a key set never becomes a public key, nor one of its keys a secret', async (t) => {
  const set = { keys: [jwk('rsa'), jwk('ec', keys.p256.publicKey)] }
  const url = await listen(t, (_request, response) => response.end(JSON.stringify(set)))
  const entry = { ...partner, name: 'web', secret: keys.hmac, jwksUrl: url, jwksTimeoutMs: 10_000 }
  const { app, vend, asked } = await serveProfiles(t, [entry])
  await app.ready()
  const spki = pem(keys.rsa.publicKey)
  const evil = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicTexts = [
    spki,
    spki.trim(),
    String(keys.rsa.publicKey.export({ type: 'pkcs1', format: 'pem' })),
    keys.rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'),
    JSON.stringify(set.keys[0]),
    JSON.stringify(set),
    String(keys.rsa.publicKey.export({ format: 'jwk' }).n),
    'rsa',
  ]
  const unsigned = (header: object) =>
    [header, ofPartner()].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  /** This header, and the signature that HMAC gives with the real secret. */
  const byHmac = (header: object) =>
    `${unsigned(header)}.${createHmac('sha256', keys.hmac).update(unsigned(header)).digest('base64url')}`
  const rows: { name: string; token: string; want: string }[] = [
    ...publicTexts.flatMap((text, index) =>
      [undefined, 'rsa'].map((kid) => ({
        name: `HS256 by the public key ${index}, kid ${kid}`,
        token: mint(ofPartner(), { kid }, text),
        want: '401 signature',
      })),
    ),
    { name: 'RS256 in name, HMAC in fact', token: byHmac({ alg: 'RS256', kid: 'rsa' }), want: '401 signature' },
    {
      name: 'RS256 by a strange key',
      token: mint(ofPartner(), { alg: 'RS256', kid: 'rsa' }, evil.privateKey),
      want: '401 signature',
    },
    {
      name: 'RS256 by a key that the token brings',
      token: mint(
        ofPartner(),
        { alg: 'RS256', kid: 'rsa', jwk: jwk('rsa', evil.publicKey), x5c: [certificateOf(evil)] },
        evil.privateKey,
      ),
      want: '401 signature',
    },
    {
      name: 'ES256 under the kid of the RSA key',
      token: mint(ofPartner(), { alg: 'ES256', kid: 'rsa' }),
      want: '401 key',
    },
    ...['HS384', 'HS512', 'RS512', 'PS256', 'EdDSA'].map((alg) => ({
      name: `${alg}, which is not pinned`,
      token: mint(ofPartner(), { alg }),
      want: '401 algorithm',
    })),
    ...['hs256', 'HS256 ', 'none', ['HS256'], { HS256: 1 }, null].map((alg) => ({
      name: `alg ${JSON.stringify(alg)}`,
      token: byHmac({ alg, kid: 'rsa' }),
      want: '401 algorithm',
    })),
  ]
  for (const { name, token, want } of rows) t.equal(await vend(token), want, name)
  t.strictSame(asked, [])
  for (const header of [{}, { kid: 'rsa' }, { alg: 'RS256', kid: 'rsa' }, { alg: 'ES256', kid: 'ec' }]) {
    t.equal(await vend(mint(ofPartner(), header)), 'users/web/alice/', JSON.stringify(header))
  }
})

t.test('a map of certificates has the keys of its key server, and no others', async (t) => {
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const past = { from: new Date(0), until: new Date(86_400_000) }
  const map = { now: certificateOf(keys.rsa), past: certificateOf(keys.rsa, past), short: certificateOf(short) }
  const url = await listen(t, (_request, response) => response.end(JSON.stringify(map)))
  const { secret: _, ...firebase } = { ...partner, name: 'firebase', jwksUrl: url, jwksTimeoutMs: 10_000 }
  const { app, vend } = await serveProfiles(t, [firebase])
  await app.ready()
  const signed = (kid: string | undefined, key = keys.rsa.privateKey, more: object = {}) =>
    mint(ofPartner(), { alg: 'RS256', kid, ...more }, key)
  const rows = [
    { name: 'a key of the map', token: signed('now'), want: 'users/firebase/alice/' },
    // As Google's libraries do: the key server withdraws a certificate by not serving it.
    { name: 'one whose certificate is over, and still served', token: signed('past'), want: 'users/firebase/alice/' },
    { name: 'a foreign key under a kid of the map', token: signed('now', foreign.privateKey), want: '401 signature' },
    { name: 'a foreign key under a kid of its own', token: signed('foreign', foreign.privateKey), want: '401 key' },
    {
      name: 'a foreign key with its certificate',
      token: signed('now', foreign.privateKey, { x5c: [certificateOf(foreign)] }),
      want: '401 signature',
    },
    { name: 'a key that is too short', token: signed('short', short.privateKey), want: '401 key' },
    { name: 'HMAC by a certificate', token: mint(ofPartner(), { kid: 'now' }, map.now), want: '401 algorithm' },
  ]
  for (const { name, token, want } of rows) t.equal(await vend(token), want, name)
})
