import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { VendError } from '../../../src/errors.ts'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import type { Policy } from '../../../src/policy/language/document.ts'
import { evaluate } from '../../../src/policy/language/evaluate.ts'
import { OSS_ACTIONS } from '../../../src/policy/language/operations.ts'
import { s3Action, s3Resource, s3Translator } from '../../../src/policy/language/s3.ts'
import { parseTemplate } from '../../../src/policy/template/parse.ts'
import { settings } from '../../helpers/templates.ts'

const HERE = { region: 'cn-north-1', account: '111111111111', partition: 'aws' }
const translate = s3Translator(HERE)
const OBJECT = 'arn:aws:s3:::test-app/'

/**
 * How engines of S3 read a pattern, tried letter by letter: AWS knows escapes and variables, Ceph and MinIO neither. A
 * variable could have any value, so it takes anything.
 */
type Engine = 'aws' | 'ceph'
function takes(engine: Engine, pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  const anything = (rest: string) =>
    Array.from({ length: text.length + 1 }).some((_, from) => takes(engine, rest, text.slice(from)))
  const variable = engine === 'aws' ? /^\$\{([^}]*)\}/u.exec(pattern) : null
  const [whole = '', name = ''] = variable ?? []
  if (variable && !['*', '?', '$'].includes(name)) return anything(pattern.slice(whole.length))
  const [wanted = '', length] = variable ? [name, whole.length] : [pattern.charAt(0), 1]
  if (!variable && wanted === '*') return anything(pattern.slice(1))
  const fits = text !== '' && ((!variable && wanted === '?') || wanted === text.charAt(0))
  return fits && takes(engine, pattern.slice(length), text.slice(1))
}

type Asked = Readonly<{ action: string; path: string }>
/** By AWS's book: an explicit Deny wins, else any Allow. Actions differ in no case. */
function s3Allows(engine: Engine, policy: string, { action, path }: Asked): boolean {
  const { Statement }: { Statement: { Effect: string; Action: string[]; Resource: string[] }[] } = JSON.parse(policy)
  const fitting = Statement.filter(
    ({ Action, Resource }) =>
      Action.some((one) => takes('ceph', one.toLowerCase(), `s3:${action}`.toLowerCase())) &&
      Resource.some((one) => takes(engine, one, `arn:aws:s3:::${path}`)),
  ).map(({ Effect }) => Effect)
  return fitting.includes('Allow') && !fitting.includes('Deny')
}
const ossAllows = (policy: Policy, { action, path }: Asked) =>
  evaluate(policy, { action: `oss:${action}`, resource: `jrn:oss:${HERE.region}:${HERE.account}:${path}` }).allowed

t.test('the brute force is right on simple cases', async (t) => {
  const rows: [Engine, string, string, boolean][] = [
    ['aws', 'a*b', 'a/b/b', true],
    ['aws', 'a*b', 'abc', false],
    ['ceph', 'a?', 'ab', true],
    ['ceph', 'a?', 'a', false],
    ['aws', 'a${?}', 'a?', true],
    ['aws', 'a${?}', 'ab', false],
    ['ceph', 'a${?}', 'a?', false],
    ['ceph', 'a${?}', 'a${b}', true],
    ['aws', 'a${*}b', 'axb', false],
    ['aws', 'a${$}b', 'a$b', true],
    ['aws', 'a/${aws:username}', 'a/bob', true],
    ['ceph', 'a/${x}', 'a/bob', false],
  ]
  for (const [engine, pattern, text, want] of rows) t.equal(takes(engine, pattern, text), want, `${pattern} ${text}`)
})

t.test('each action of OSS has a counterpart of the same name', async (t) => {
  t.strictSame(Object.keys(OSS_ACTIONS).map(s3Action), [
    's3:PutObject',
    's3:GetObject',
    's3:DeleteObject',
    's3:AbortMultipartUpload',
    's3:ListMultipartUploadParts',
    's3:ListBucket',
    's3:ListBucketMultipartUploads',
    's3:DeleteBucket',
    's3:ListAllMyBuckets',
  ])
  for (const action of [
    'oss:*',
    'oss:Get*',
    'oss:putobject',
    'oss:PutObjectAcl',
    's3:PutObject',
    '*',
    'toString',
    '',
  ]) {
    t.equal(s3Action(action), undefined, action)
  }
})

t.test('a resource is translated if it opens the same there', async (t) => {
  const rows: [name: string, jrn: string, want: string | undefined][] = [
    ['any region', 'jrn:oss:*:111111111111:test-app/users/alice/*', `${OBJECT}users/alice/*`],
    ['the region', 'jrn:oss:cn-north-1:111111111111:test-app/a', `${OBJECT}a`],
    ['any account', 'jrn:oss:*:*:test-app', 'arn:aws:s3:::test-app'],
    ['a key with colons', 'jrn:oss:*:*:test-app/a:b', `${OBJECT}a:b`],
    ['a dollar and braces', 'jrn:oss:*:*:test-app/$a{b}', `${OBJECT}$a{b}`],
    ['another region', 'jrn:oss:cn-east-2:111111111111:test-app/*', undefined],
    ['another account', 'jrn:oss:*:222222222222:test-app/*', undefined],
    ['a part of a region', 'jrn:oss:cn-*:111111111111:test-app/*', undefined],
    ['no account', 'jrn:oss:*::test-app/*', undefined],
    ['another service', 'jrn:vm:*:111111111111:test-app/*', undefined],
    ['everything', '*', undefined],
    ['an ARN', 'arn:aws:s3:::test-app/*', undefined],
    ['a question mark', 'jrn:oss:*:*:test-app/a?', undefined],
    ['a variable', 'jrn:oss:*:*:test-app/${aws:username}', undefined],
    ['an escape', 'jrn:oss:*:*:test-app/${*}', undefined],
  ]
  for (const [name, jrn, want] of rows) t.equal(s3Resource(jrn, HERE), want, name)
  t.equal(s3Resource('jrn:oss:*:*:b/*', { ...HERE, partition: 'aws-cn' }), 'arn:aws-cn:s3:::b/*')
})

const policyOf = (Statement: unknown) => JSON.stringify({ Version: '3', Statement })
const allow = (resource: string, more = {}) => ({
  Effect: 'Allow',
  Action: ['oss:PutObject'],
  Resource: [resource],
  ...more,
})

t.test('a policy: Deny stays, Sid goes, conditions are refused', async (t) => {
  const resource = 'jrn:oss:*:*:b/a'
  t.strictSame(
    JSON.parse(translate(policyOf([allow(resource, { Sid: 'own folder' }), allow(resource, { Effect: 'Deny' })]))),
    {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::b/a'] },
        { Effect: 'Deny', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::b/a'] },
      ],
    },
  )
  t.throws(() => translate(policyOf([allow(resource, { Condition: {} })])), /condition/u)
  t.throws(() => translate(policyOf([allow('*')])), { message: 'a resource has no translation' })
  t.throws(() => translate(policyOf([allow(resource, { Action: ['oss:*'] })])), { message: /action/u })
})

t.test('the text has no character that STS of AWS refuses, and means the same', async (t) => {
  const resource = 'jrn:oss:*:111111111111:test-app/users/图é𝐀/*'
  const text = translate(policyOf([allow(resource)]))
  t.match(text, /^[ -~]+$/u)
  t.strictSame(JSON.parse(text).Statement[0].Resource, ['arn:aws:s3:::test-app/users/图é𝐀/*'])
})

t.test('what is too large is refused', async (t) => {
  const long = (bytes: number, letter = 'x') =>
    allow(`jrn:oss:*:*:b/${letter.repeat(bytes / Buffer.byteLength(letter))}`)
  const refused = (text: string) => t.throws(() => translate(text), { code: 'policy_too_large' })
  t.ok(translate(policyOf([long(1024)])))
  t.ok(translate(policyOf([long(1024, '李'.normalize())])).includes('李'))
  refused(policyOf([long(1025)]))
  refused(policyOf([long(1026, '李')]))
  // Any account is shorter in JD Cloud's language than none is in AWS's.
  const many = Array.from({ length: 22 }, (_, at) => allow(`jrn:oss:*:*:b/${at}`, { Action: ['oss:GetObject'] }))
  const filler = (text: string) => [...many, allow(`jrn:oss:*:*:b/${text}`)]
  const room = 2048 - Buffer.byteLength(policyOf(filler('')))
  const full = policyOf(filler('x'.repeat(room)))
  t.equal(Buffer.byteLength(full), 2048, 'it is not too large for JD Cloud')
  refused(full)
})

const over = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength })
const actions = fc.subarray(['PutObject', 'GetObject', 'ListBucket'], { minLength: 1 })
const jrn = fc
  .tuple(
    fc.constantFrom('*', '*', '*', '*', HERE.region, HERE.region, HERE.region, 'cn-*'),
    fc.constantFrom('*', '*', '*', HERE.account, HERE.account, HERE.account, HERE.account, '1*'),
    fc.oneof({ weight: 9, arbitrary: over('ab**/', 4) }, { weight: 1, arbitrary: over('ab*/?${}:', 8) }),
  )
  .map(([region, account, rest]) => `jrn:oss:${region}:${account}:${rest}`)
const statement = fc.record({
  Effect: fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Allow', 'Deny'),
  Action: actions.map((names) => names.map((name) => `oss:${name}`)),
  Resource: fc.array(jrn, { minLength: 1, maxLength: 2 }),
})
const asked = fc.record({
  action: fc.constantFrom('PutObject', 'GetObject', 'ListBucket', 'DeleteObject', 'PutObjectAcl'),
  path: fc.oneof(over('ab/', 3), over('ab/?${}:*', 6)),
})

t.test('whatever has a translation opens neither more nor less', async (t) => {
  const seen = { translated: 0, allowed: 0 }
  const property = fc.property(fc.array(statement, { minLength: 1, maxLength: 3 }), asked, (Statement, request) => {
    const policy: Policy = { Version: '3', Statement }
    let translated: string
    try {
      translated = translate(JSON.stringify(policy))
    } catch {
      return
    }
    seen.translated++
    const want = ossAllows(policy, request)
    if (want) seen.allowed++
    for (const engine of ['aws', 'ceph'] as const) {
      if (s3Allows(engine, translated, request) !== want) {
        throw new Error(`${engine}: ${JSON.stringify(request)} by ${translated}`)
      }
    }
  })
  fc.assert(property, { numRuns: 20_000 })
  t.ok(seen.translated > 2000 && seen.allowed > 200, JSON.stringify(seen))
})

const SOURCES = ['policies', 'docs/cookbook'].flatMap((directory) =>
  readdirSync(directory).map((file) => ({ file, text: readFileSync(`${directory}/${file}`, 'utf8') })),
)
const value = fc.stringMatching(/^[\p{L}\p{Nd}\-_.~@+=,|]{1,12}$/u)

t.test('every grant of a template has a translation, for any caller', async (t) => {
  for (const { file, text } of SOURCES) {
    const { template } = parseTemplate(file, file.replace('.yaml', ''), text)
    if (!template) throw new Error(`${file} does not compile`)
    let granted = 0
    const property = fc.property(value, value, (sub, other) => {
      const example = template.examples[0]
      const caller = { issuer: 'app', subject: sub, claims: { ...example?.caller, sub, tenant: other, org: other } }
      const params = Object.fromEntries(
        Object.keys(template.params).map((name) => [name, example?.params?.[name] ?? other]),
      )
      try {
        const { policy, prefixes } = fillIn(template, { caller, params }, settings)
        const translated = translate(policy)
        granted++
        for (const prefix of prefixes.filter((one) => one !== '')) {
          const other = { action: 'PutObject', path: `test-app/${prefix}x` }
          const [here, there] = [ossAllows(JSON.parse(policy), other), s3Allows('ceph', translated, other)]
          if (here !== there) throw new Error(translated)
        }
      } catch (error) {
        if (!(error instanceof VendError)) throw error
      }
    })
    fc.assert(property, { numRuns: 200 })
    t.ok(granted > 50 || template.allow?.issuer, `${file}: ${granted}`)
  }
})
