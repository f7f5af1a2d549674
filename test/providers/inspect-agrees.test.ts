import t from 'tap'
import { parse } from 'yaml'
import { PROVIDER_NAMES } from '../../src/identity/preset.ts'
import { build } from '../helpers/build.ts'
import { inspectReport } from '../helpers/inspect.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys } from '../helpers/tokens.ts'
import { environmentOf, SECRETS, tokenOf } from './harness.ts'
import { MISTAKES } from './mistakes.ts'
import { readPage } from './page.ts'
import { SHAPES } from './shapes.ts'

// `token inspect` says of every provider's tokens what the service says. The keys stand in a file, so that both read them.

const SET = JSON.stringify({
  keys: [jwk('key-1', keys.rsa.publicKey), jwk('key-2', keys.p256.publicKey, { alg: 'ES256' })],
})
const now = Math.floor(Date.now() / 1000)
const WRONG: Readonly<Record<string, { claims?: object; header?: object }>> = {
  'as it is': {},
  'another iss': { claims: { iss: 'https://elsewhere.example.com' } },
  'a slash more or less': { claims: { iss: 'SLASH' } },
  'another audience': { claims: { aud: 'other', client_id: 'other' } },
  'no audience': { claims: { aud: undefined, client_id: undefined } },
  over: { claims: { exp: now - 600 } },
  'not yet': { claims: { nbf: now + 600 } },
  'without an end': { claims: { exp: undefined } },
  'without a caller': { claims: { sub: undefined, oid: undefined, uid: undefined } },
  'another tenant': { claims: { tid: '99999999-2222-3333-4444-555555555555' } },
  'a logout token': { claims: { events: {} }, header: { typ: 'logout+jwt' } },
  'an unknown key': { header: { kid: 'key-3' } },
  'the key of another alg': { header: { alg: 'ES256', kid: 'key-1' } },
  'another alg': { header: { alg: 'HS256' } },
  'no alg': { header: { alg: 'none' } },
}

const tried = new Set<string>()
for (const [anchor, { issuers, template }] of readPage()) {
  const shape = SHAPES[anchor]
  if (!shape) continue
  for (const [index, text] of issuers.entries()) {
    const entry: Readonly<Record<string, unknown>> = parse(text)[0]
    if (entry.provider === undefined) continue
    tried.add(String(entry.provider))
    t.test(`${anchor} ${index}`, async (t) => {
      const { jwksUrl, jwksTokenFile, jwksCaFile, ...rest } = entry
      const file = { ...rest, ...(entry.secretFile === undefined && { jwksFile: 'set.json' }) }
      const env = environmentOf(t, { issuers: JSON.stringify([file]), template, more: { 'set.json': SET } })
      const { app, logs } = await build(t, { env })
      const mistakes = Object.fromEntries(
        Object.entries(MISTAKES[anchor] ?? {}).map(([name, { claims, header }]) => [name, { claims, header }]),
      )
      for (const [name, { claims = {}, header = {} }] of Object.entries({ ...WRONG, ...mistakes })) {
        const { iss } = shape.claims
        const other = `${String(iss)}/`.replace(/\/\/$/u, '')
        const wrong = { ...claims, ...('iss' in claims && claims.iss === 'SLASH' && { iss: other }) }
        const head = entry.secretFile === undefined ? header : { alg: 'HS256', ...header }
        const key = entry.secretFile === undefined ? undefined : SECRETS.supabase
        const token = tokenOf(shape, wrong, head, key)
        const answer = await app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${token}` } })
        const reason = logs.lines().findLast(({ msg }) => msg === 'refused')?.reason
        const want = answer.statusCode === 200 ? 'accepted' : `${answer.statusCode} ${String(reason)}`
        const { report, exitCode } = await inspectReport(token, env, { dir: `${env.POLICIES_DIR}` })
        const said = report.verdict === 'refused' ? '401' : '503'
        t.equal(report.verdict === 'accepted' ? 'accepted' : `${said} ${report.reason}`, want, name)
        t.equal(exitCode, answer.statusCode === 200 ? 0 : 1)
        const usable = (answer.json().policies ?? []).map(({ name = '' }) => name)
        const told = report.templates?.answers.filter(({ allowed }) => allowed).map((one) => one.name)
        if (answer.statusCode === 200) t.strictSame(told, usable, `${name}: the templates`)
      }
    })
  }
}

t.test('every preset is tried', async (t) => {
  t.strictSame([...tried].toSorted(), PROVIDER_NAMES.toSorted())
})
