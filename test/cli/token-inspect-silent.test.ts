import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { environment } from '../helpers/build.ts'
import { run } from '../helpers/cli.ts'
import { inspect } from '../helpers/inspect.ts'
import { AUDIENCE, claims, keys, mint } from '../helpers/tokens.ts'

const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET } = environment
const ENV: Environment = { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET }
const SIGNATURE = /^.*\./su

/** Everything that the command prints about a token, for people and for machines. */
async function printed(token: string, env: Environment = ENV): Promise<string> {
  const texts = await inspect(token, env)
  const json = await inspect(token, env, { json: true })
  return texts.out + texts.err + json.out + json.err
}

t.test('neither a token, its signature nor a secret is printed, whatever is wrong', async (t) => {
  const good = mint(claims())
  const tokens = [
    good,
    mint(claims(), {}, 'x'.repeat(40)),
    mint(claims({ iss: 'x', aud: 'x', sub: 7, exp: 1 })),
    mint(claims({ pad: 'x'.repeat(20_000) })),
    `"${good}"`,
    `${good}.x`,
    good.slice(0, -1),
    `${good.slice(0, 40)} ${good.slice(40)}`,
    `!${good}`,
  ]
  for (const token of tokens) {
    const text = await printed(token)
    t.notOk(text.includes(token), 'the token')
    t.notOk(text.includes(token.replace(SIGNATURE, '').slice(0, 20)) && token.split('.').length === 3, 'the signature')
    t.notOk(text.includes(keys.hmac), 'the secret')
    t.notMatch(text, /eyJ[\w-]{8,}\./u, 'anything like a token')
  }
})

t.test('a token within a claim is not printed', async (t) => {
  const inner = mint(claims({ sub: 'inner' }))
  const text = await printed(
    mint(claims({ act: { token: `Bearer ${inner}` }, [inner]: 1, sub: inner }), { nested: [inner] }),
  )
  t.notMatch(text, /eyJ[\w-]{8,}\./u)
  t.match(text, /\(a token\)/u)
  const [, body = '', signature = ''] = inner.split('.')
  for (const gap of [' ', '\n  ', '\r\n', '\t']) {
    const header = Buffer.from(`{${gap}"alg": "HS256" }`).toString('base64url')
    const spaced = await printed(mint(claims({ act: `Bearer ${header}.${body}.${signature}` })))
    t.notOk(spaced.includes(signature), JSON.stringify(gap))
    t.match(spaced, /Bearer \(a token\)/u)
  }
  const name = 'ewok-village.example.com'
  t.ok((await printed(mint(claims({ site: name })))).includes(name), 'a name that begins so is no token')
})

t.test('what a token says cannot command a terminal', async (t) => {
  const evil = '\u001b[2J\u0007\r\nx\u009b31m\u007f\u202e\u2028\u2066\ufeff\u{e0041}'
  const rows = [
    mint(claims({ [evil]: evil, roles: [evil], deep: { [evil]: [evil] } }), { kid: evil, [evil]: evil }),
    mint(claims({ sub: evil })),
    mint(claims({ iss: evil, tid: evil })),
    mint(claims({ aud: [evil], typ: evil }), { typ: evil }),
    mint(claims(), { alg: 'RS256', kid: evil }),
    // No test key signs for such an algorithm.
    `${Buffer.from(JSON.stringify({ alg: evil })).toString('base64url')}.${mint(claims()).split('.').slice(1).join('.')}`,
    evil,
  ]
  for (const token of rows) {
    const shown = await inspect(token, ENV)
    t.notMatch(shown.out, /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u)
    const json = await inspect(token, ENV, { json: true })
    t.notMatch(json.out, /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u)
    t.ok(JSON.parse(json.out))
  }
})

t.test('long claims are cut', async (t) => {
  const huge = {
    text: 'x'.repeat(4000),
    list: Array.from({ length: 500 }, (_, index) => `role-${index}`),
    object: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`member-${index}`, index])),
    deep: JSON.parse(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`),
  }
  const token = mint(claims({ ...huge, sub: 'y'.repeat(1000) }), { x5c: ['z'.repeat(2000)] })
  const { out } = await inspect(token, ENV)
  t.match(out, /x… \(4000 characters\)/u)
  t.match(out, /… 480 more/u)
  t.match(out, /"…": "240 more"/u)
  t.notMatch(out, /x{201}|y{201}|z{201}|role-20|member-60/u)
  t.ok(out.length < 12_000, String(out.length))
  const json = await inspect(token, ENV, { json: true })
  t.notMatch(json.out, /x{201}|y{201}|z{201}/u)
})

t.test('a token as an argument is refused, and not printed', async (t) => {
  const token = mint(claims())
  for (const words of [[token], ['Bearer', token], [`--${token}`], ['--at', token], ['--file', 'x', token]]) {
    const { exitCode, out, err } = await run(['token', 'inspect', ...words], { env: ENV })
    t.equal(exitCode, 2)
    t.notMatch(out + err, /eyJ[\w-]{8,}\./u)
  }
  const { err } = await run(['token', 'inspect', token], { env: ENV })
  t.match(err, /must not be an argument: the history of the shell/u)
  t.match(await run(['token', token], { env: ENV }), { exitCode: 2, err: /\(a token\)/u })
  const json = await run(['token', 'inspect', '--json', token], { env: ENV })
  t.match(JSON.parse(json.out), { error: /must not be an argument/u })
})

t.test('a secret in the address of a key set is not printed', async (t) => {
  const env = { JWT_ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS_URL: 'https://127.0.0.1:1/keys?code=SENTINEL-code' }
  t.notMatch(await printed(mint(claims(), { alg: 'RS256' }), env), /SENTINEL/u)
})
