import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { VendError } from '../src/errors.ts'
import { fillIn, type Grant } from '../src/policy/grant/grant.ts'
import { policySchema } from '../src/policy/language/document.ts'
import { evaluate } from '../src/policy/language/evaluate.ts'
import { OSS_ACTIONS } from '../src/policy/language/operations.ts'
import { parseTemplate } from '../src/policy/template/parse.ts'
import type { Template } from '../src/policy/template/template.ts'
import { settings } from './helpers/templates.ts'

const ISSUERS = ['app', 'app1', 'web']

type Who = Readonly<{ issuer: string; sub: string; album: string | number; claims: Record<string, unknown> }>
type Case = Readonly<{ name: string; template: Template; severalIssuers: boolean }>

/** Each shipped template as it is, with any album, and as an operator of several issuers would have it. */
const cases: Case[] = readdirSync('policies').flatMap((file) => {
  const shipped = readFileSync(`policies/${file}`, 'utf8')
  const name = file.replace('.yaml', '')
  const compile = (text: string) => {
    const { template } = parseTemplate(file, name, text)
    if (!template) throw new Error(`${file} does not compile`)
    return template
  }
  const anyAlbum = shipped.replace('pattern: "[a-z0-9-]{1,40}"', 'kind: path')
  const withIssuer = (text: string) => text.replaceAll('${jwt:sub}', '${issuer}/${jwt:sub}')
  return [
    { name, template: compile(shipped), severalIssuers: false },
    { name: `${name}, several issuers`, template: compile(withIssuer(shipped)), severalIssuers: true },
    ...(anyAlbum === shipped
      ? []
      : [
          { name: `${name}, any album`, template: compile(anyAlbum), severalIssuers: false },
          { name: `${name}, any album, several`, template: compile(withIssuer(anyAlbum)), severalIssuers: true },
        ]),
  ]
})
const personal = cases.filter(({ name }) => !name.startsWith('shared-'))

const hostile = fc.constantFrom(
  ...[
    '*',
    '/',
    '..',
    '.',
    '/../',
    '${jwt:sub}',
    '${param:album}',
    '${issuer}',
    '${',
    '}',
    '"',
    '\\"',
    '\\',
    '\0',
    '\n',
    ':',
  ],
  ...[
    '","Resource":["*',
    '"]}]}',
    '\ud800',
    '\udfff',
    '\u202e',
    '\u200b',
    'e\u0301',
    'é',
    '李',
    '𠮷',
    '\uff0a',
    '%2a',
    '?',
    ' ',
  ],
)
const plain = fc.constantFrom('alice', 'bob', 'a', 'li', 'ce', 'app', '1', '2', '-', '.', '_', '@', 'ü')
const text = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.oneof(plain, hostile), { maxLength: 5 }).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.array(plain, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.tuple(plain, fc.integer({ min: 1, max: 3000 })).map(([one, n]) => one.repeat(n)) },
)
const path = fc.array(text, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const claims = fc.oneof(
  fc.constant({}),
  fc.dictionary(
    fc.constantFrom('issuer', 'iss', 'account', 'bucket', 'album', 'param', '__proto__', 'toString'),
    fc.oneof(text, fc.anything()),
  ),
)
const who: fc.Arbitrary<Who> = fc.record({
  issuer: fc.constantFrom(...ISSUERS),
  sub: text,
  album: fc.oneof(text, path, fc.constantFrom('trip', 'a', 'a-b'), fc.integer()),
  claims,
})

/** What this caller is granted; undefined when refused, which is always safe. */
function grantTo({ template, severalIssuers }: Case, { issuer, sub, album, claims }: Who): Grant | undefined {
  const caller = { issuer, subject: sub, claims: { ...claims, scope: 'oss.upload oss.files oss.download', sub } }
  const params = 'album' in template.params ? { album } : {}
  try {
    return fillIn(template, { caller, params }, { ...settings, severalIssuers })
  } catch (error) {
    if (error instanceof VendError && /^(?:unsafe_value|invalid_request|policy_too_large)$/u.test(error.code))
      return undefined
    throw error
  }
}

const mayOf = (grant: Grant) => {
  const policy = policySchema.parse(JSON.parse(grant.policy))
  return (key: string) =>
    Object.keys(OSS_ACTIONS).some(
      (action) =>
        evaluate(policy, { action, resource: `jrn:oss:cn-north-1:111111111111:test-app/${key}` }, 'ignored').allowed,
    )
}

const check = (holds: boolean, what: string) => {
  if (!holds) throw new Error(what)
}

t.test('whatever a token or a request holds, the policy keeps its shape', async (t) => {
  let granted = 0
  const property = fc.property(fc.constantFrom(...cases), who, (one, who) => {
    const grant = grantTo(one, who)
    if (!grant) return
    granted++
    check(Buffer.byteLength(grant.policy) <= 2048, 'it is not too large')
    const values = { account: '111111111111', bucket: 'test-app', region: 'cn-north-1', issuer: who.issuer }
    const want = one.template.statements.map(({ actions, resources }) => ({
      Effect: 'Allow',
      Action: actions,
      Resource: resources.map((parts) =>
        parts
          .map((part) => {
            if (part.kind === 'literal') return part.text
            if (part.kind === 'date') throw new Error('no shipped template has a date')
            if (part.kind !== 'jwt' && part.kind !== 'param') return values[part.kind]
            const value = part.kind === 'jwt' ? who.sub : String(who.album)
            check(!/[*?$:{}"\\\s\p{C}]/u.test(value), `${JSON.stringify(value)} means nothing`)
            check(
              value.split('/').every((step) => !['', '.', '..'].includes(step)),
              'each step is a name',
            )
            check(part.kind === 'param' || !value.includes('/'), 'a subject is one step')
            return value
          })
          .join(''),
      ),
    }))
    check(grant.policy === JSON.stringify({ Version: '3', Statement: want }), 'it is the template, filled in')
  })
  fc.assert(property, { numRuns: 5000 })
  t.ok(granted > 1000, `${granted} were granted`)
})

t.test('no key outside of the own folder is opened', async (t) => {
  let granted = 0
  const suffix = fc.oneof(text, path)
  const property = fc.property(fc.constantFrom(...cases), who, suffix, text, (one, who, suffix, other) => {
    const grant = grantTo(one, who)
    if (!grant) return
    granted++
    const owner = one.severalIssuers ? `users/${who.issuer}/${who.sub}` : `users/${who.sub}`
    const own = one.name.startsWith('shared-') ? 'public/' : `${owner}/`
    const may = mayOf(grant)
    const [prefix = ''] = grant.prefixes
    check(prefix.startsWith(own), 'the prefix is of the own folder')
    check(may(`${prefix}${suffix}`), 'what starts with the prefix is opened')
    const keys = [
      suffix,
      owner,
      own.slice(0, -1),
      `${owner}x/${suffix}`,
      `${owner}2/${suffix}`,
      `${owner.slice(0, -1)}/${suffix}`,
      `${owner.toUpperCase()}/${suffix}`,
      `${owner}\\${suffix}`,
      `${owner}%2f${suffix}`,
      `${owner} /${suffix}`,
      `/${owner}/${suffix}`,
      `x/${owner}/${suffix}`,
      `users//${who.sub}/${suffix}`,
      `users/${other}/${suffix}`,
      `users/${other}/${who.sub}/${suffix}`,
      `users/${who.issuer}/${other}/${suffix}`,
      `users/*/${suffix}`,
      `public/${suffix}`,
      `public${suffix}`,
      '',
      '*',
    ]
    for (const key of keys) check(key.startsWith(own) || !may(key), `${JSON.stringify(key)} is closed`)
    // Not the bucket either, and no other bucket.
    const policy = policySchema.parse(JSON.parse(grant.policy))
    for (const bucket of ['test-app', 'test-app2', 'test', '*', `x:test-app`]) {
      const whole = `jrn:oss:cn-north-1:111111111111:${bucket}`
      for (const resource of bucket === 'test-app' ? [whole] : [whole, `${whole}/${own}${suffix}`]) {
        for (const action of Object.keys(OSS_ACTIONS)) check(!evaluate(policy, { action, resource }).allowed, resource)
      }
    }
  })
  fc.assert(property, { numRuns: 2500 })
  t.ok(granted > 500, `${granted} were granted`)
})

t.test('two callers never get into each other', async (t) => {
  let both = 0
  const property = fc.property(
    fc.constantFrom(...personal),
    who,
    who,
    text,
    fc.boolean(),
    (one, first, second, suffix, alike) => {
      // Half of the pairs share all but issuer or subject, which is where they could be mistaken for each other.
      const other = alike ? { ...first, issuer: second.issuer, sub: second.sub } : second
      const same = first.sub === other.sub && (!one.severalIssuers || first.issuer === other.issuer)
      const grants = [grantTo(one, first), grantTo(one, other)]
      const [mine, theirs] = grants
      if (same || !mine || !theirs) return
      both++
      check(mine.roleSessionName !== theirs.roleSessionName, 'the sessions have two names')
      for (const [from, to] of [
        [mine, theirs],
        [theirs, mine],
      ] as const) {
        const may = mayOf(to)
        for (const prefix of from.prefixes) {
          check(!to.prefixes.some((own) => own.startsWith(prefix)), `${prefix} does not hold the other's`)
          for (const key of [prefix, `${prefix}${suffix}`, `${prefix}1.jpg`]) check(!may(key), `${key} is closed`)
        }
      }
    },
  )
  fc.assert(property, { numRuns: 5000 })
  t.ok(both > 400, `${both} pairs were compared`)
})
