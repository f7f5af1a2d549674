import t from 'tap'
import { unmetCondition } from '../../../src/policy/claims/allow.ts'
import { claimAt } from '../../../src/policy/claims/claim.ts'
import { statement, template } from '../../helpers/templates.ts'

const missing = (claim: string) => `claim "${claim}" is missing`
const lacking = (claim: string) => `claim "${claim}" does not hold a required value`
const NOBODY = 'this policy is for nobody: it has no allow'
const ISSUER = "the token's issuer is not accepted"
/** Names no claim, so that `allow` alone decides. */
const policy = { Version: '3', Statement: [statement('public/*')] }

t.test('callers who may have a policy, and callers who may not', async (t) => {
  const scope = { claims: { scope: ['oss.upload'] } }
  const nested = { claims: { 'realm.roles': ['up', 'down'] } }
  const both = { issuer: ['app', 'web'], claims: { scope: 'oss.upload', tier: ['gold', 'silver'] } }
  const rows: { name: string; allow: unknown; claims: Record<string, unknown>; issuer?: string; want?: string }[] = [
    { name: 'no allow', allow: undefined, claims: { scope: 'oss.upload' }, want: NOBODY },
    { name: 'the string', allow: scope, claims: { scope: 'oss.upload' } },
    { name: 'one of several, separated by spaces', allow: scope, claims: { scope: 'openid oss.upload email' } },
    { name: 'in a list', allow: scope, claims: { scope: ['openid', 'oss.upload'] } },
    { name: 'a value with a space, whole', allow: { claims: { t: 'a b' } }, claims: { t: 'a b' } },
    { name: 'a value with a space, in a list', allow: { claims: { t: 'a b' } }, claims: { t: ['a b'] } },
    { name: 'nested', allow: nested, claims: { realm: { roles: ['down'] } } },
    { name: 'issuer and claims', allow: both, claims: { scope: 'oss.upload', tier: 'silver' }, issuer: 'web' },
    { name: 'missing', allow: scope, claims: {}, want: missing('scope') },
    { name: 'another value', allow: scope, claims: { scope: 'openid' }, want: lacking('scope') },
    { name: 'a longer value', allow: scope, claims: { scope: 'oss.uploads' }, want: lacking('scope') },
    { name: 'a shorter value', allow: scope, claims: { scope: 'oss.upl' }, want: lacking('scope') },
    { name: 'another case', allow: scope, claims: { scope: 'OSS.UPLOAD' }, want: lacking('scope') },
    { name: 'separated by commas', allow: scope, claims: { scope: 'openid,oss.upload' }, want: lacking('scope') },
    { name: 'separated by tabs', allow: scope, claims: { scope: 'openid\toss.upload' }, want: lacking('scope') },
    {
      name: 'separated by no-break spaces',
      allow: scope,
      claims: { scope: 'x\u00a0oss.upload' },
      want: lacking('scope'),
    },
    { name: 'spaces in a list', allow: scope, claims: { scope: ['openid oss.upload'] }, want: lacking('scope') },
    { name: 'a wildcard', allow: scope, claims: { scope: '*' }, want: lacking('scope') },
    { name: 'empty', allow: scope, claims: { scope: '' }, want: lacking('scope') },
    { name: 'an empty list', allow: scope, claims: { scope: [] }, want: lacking('scope') },
    { name: 'a list of lists', allow: scope, claims: { scope: [['oss.upload']] }, want: lacking('scope') },
    { name: 'an object', allow: scope, claims: { scope: { 'oss.upload': true } }, want: lacking('scope') },
    {
      name: 'an object like a list',
      allow: scope,
      claims: { scope: { 0: 'oss.upload', length: 1 } },
      want: lacking('scope'),
    },
    { name: 'null', allow: scope, claims: { scope: null }, want: missing('scope') },
    { name: 'true', allow: { claims: { admin: 'true' } }, claims: { admin: true }, want: lacking('admin') },
    { name: 'a number', allow: { claims: { level: '7' } }, claims: { level: 7 }, want: lacking('level') },
    { name: 'numbers in a list', allow: { claims: { level: '7' } }, claims: { level: [7] }, want: lacking('level') },
    { name: 'nested, flat', allow: nested, claims: { 'realm.roles': ['down'] }, want: missing('realm.roles') },
    { name: 'nested in a list', allow: nested, claims: { realm: [{ roles: ['down'] }] }, want: missing('realm.roles') },
    { name: 'nested in text', allow: { claims: { 'a.length': '1' } }, claims: { a: 'x' }, want: missing('a.length') },
    { name: 'nothing to nest in', allow: nested, claims: { realm: null }, want: missing('realm.roles') },
    {
      name: 'issuer of another',
      allow: both,
      claims: { scope: 'oss.upload', tier: 'gold' },
      issuer: 'b',
      want: ISSUER,
    },
    { name: 'one claim of two', allow: both, claims: { scope: 'oss.upload' }, want: missing('tier') },
    { name: 'the issuer as a claim', allow: { issuer: 'web' }, claims: { issuer: 'web', iss: 'web' }, want: ISSUER },
    { name: 'an issuer that starts alike', allow: { issuer: 'web' }, claims: {}, issuer: 'web2', want: ISSUER },
    {
      name: 'inherited: constructor',
      allow: { claims: { 'constructor.name': 'Object' } },
      claims: {},
      want: missing('constructor.name'),
    },
    {
      name: 'inherited: toString',
      allow: { claims: { 'toString.name': 'toString' } },
      claims: {},
      want: missing('toString.name'),
    },
    {
      name: 'inherited: __proto__ of the claims',
      allow: scope,
      claims: Object.create({ scope: 'oss.upload' }),
      want: missing('scope'),
    },
    {
      name: 'own __proto__, as JSON makes it',
      allow: scope,
      claims: JSON.parse('{"__proto__":{"scope":"oss.upload"}}'),
      want: missing('scope'),
    },
  ]
  for (const { name, allow, claims, issuer = 'app', want } of rows) {
    t.test(name, async (t) => t.equal(unmetCondition(template({ allow, policy }), { issuer, claims }, 0), want))
  }
})

t.test('a refusal never names an accepted value', async (t) => {
  const secret = template({ allow: { issuer: 'SENTINEL-issuer', claims: { scope: 'SENTINEL-scope' } } })
  t.notMatch(unmetCondition(secret, { issuer: 'app', claims: {} }, 0), /SENTINEL/u)
  t.notMatch(unmetCondition(secret, { issuer: 'SENTINEL-issuer', claims: { scope: 'x' } }, 0), /SENTINEL/u)
})

t.test('claimAt follows a path', async (t) => {
  const claims = JSON.parse('{"a":{"b":{"c":7}},"__proto__":{"d":8},"list":["x"],"n":null,"":{"":9}}')
  const rows = [
    { path: ['a', 'b', 'c'], want: 7 },
    { path: ['a', 'b'], want: { c: 7 } },
    { path: ['a', 'c'], want: undefined },
    { path: ['__proto__', 'd'], want: 8 },
    { path: ['d'], want: undefined },
    { path: ['constructor'], want: undefined },
    { path: ['a', 'constructor', 'name'], want: undefined },
    { path: ['a', '__proto__'], want: undefined },
    { path: ['hasOwnProperty'], want: undefined },
    { path: ['list', '0'], want: undefined },
    { path: ['list', 'length'], want: undefined },
    { path: ['n', 'x'], want: undefined },
    { path: ['', ''], want: 9 },
    { path: [], want: claims },
  ]
  for (const { path, want } of rows) t.test(path.join('.'), async (t) => t.strictSame(claimAt(claims, path), want))
})

t.test('a claim with quotes of its own stands in no others', async (t) => {
  const names = ['scope', 'org.team', '"kubernetes.io".namespace', 'a."b.c"']
  const want = ['"scope"', '"org.team"', '"kubernetes.io".namespace', 'a."b.c"']
  for (const [index, claim] of names.entries()) {
    t.test(claim, async (t) => {
      const compiled = template({ allow: { issuer: 'app', claims: { [claim]: 'x' } } })
      const unmet = unmetCondition(compiled, { issuer: 'app', claims: {} }, 0)
      t.equal(unmet, `claim ${want[index]} is missing`)
    })
  }
})

t.test('a claim that a resource uses is a condition too', async (t) => {
  const team = { Version: '3', Statement: [statement('public/*'), statement('teams/${jwt:org.team}/*')] }
  const compiled = template({ policy: team })
  const unmet = (claims: Record<string, unknown>) => unmetCondition(compiled, { issuer: 'app', claims }, 0)
  t.equal(unmet({}), 'claim "org.team" is missing')
  t.equal(unmet({ 'org.team': 'red' }), 'claim "org.team" is missing')
  t.equal(unmet({ org: { team: 'red' } }), undefined)
})
