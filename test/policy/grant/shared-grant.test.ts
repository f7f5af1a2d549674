import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { ossAllows } from '../../../sandbox/iam/evaluate.ts'
import { parseSessionPolicy } from '../../../sandbox/iam/policy.ts'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { sessionName } from '../../../src/policy/grant/session-name.ts'
import { type Access, sharedGrant as shared } from '../../../src/policy/grant/shared-grant.ts'
import { parseTemplate } from '../../../src/policy/template/parse.ts'
import type { Template } from '../../../src/policy/template/template.ts'
import { caller, refusal, settings, statement, template } from '../../helpers/templates.ts'

const sharedGrant = (one: Template, access: Access) => shared(one, access, settings, { durationSeconds: 3600 })

const MINE = 'users/${jwt:sub}/${param:album}/*'
const resource = (key: string) => `jrn:oss:*:\${account}:\${bucket}/${key}`
const parts = (...Statement: unknown[]) => ({ params: { album: {} }, policy: { Version: '3', Statement } })
const allow = (Action: string[], ...keys: string[]) => ({ Effect: 'Allow', Action, Resource: keys.map(resource) })

const files = ['policies', 'docs/cookbook'].flatMap((folder) =>
  readdirSync(folder).map((file) => ({ file, text: readFileSync(`${folder}/${file}`, 'utf8') })),
)
const shipped = files.map(({ file, text }) => {
  const { template } = parseTemplate(file, file.replace('.yaml', ''), text)
  if (!template) throw new Error(`${file} does not compile`)
  return template
})

const key = (policy: string, action: string, text: string, bucket = 'test-app') => {
  const parsed = parseSessionPolicy(policy)
  const wanted = { service: 'oss', region: settings.region, account: settings.account, resource: `${bucket}/${text}` }
  return parsed !== undefined && ossAllows([parsed], { action, resource: wanted })
}

t.test('each variable becomes a *, and account and bucket stay', async (t) => {
  const mine = template(parts(allow(['oss:PutObject'], MINE, 'in/${issuer}/*', 'users/${param:album}/${jwt:sub}/*')))
  t.strictSame(sharedGrant(mine, 'writes'), {
    template: 'mine',
    target: 'default',
    roleSessionName: 'mine.signed-writes',
    policy: JSON.stringify({
      Version: '3',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['oss:PutObject'],
          Resource: ['jrn:oss:*:111111111111:test-app/users/*/*/*', 'jrn:oss:*:111111111111:test-app/in/*/*'],
        },
      ],
    }),
    durationSeconds: 3600,
    actions: ['oss:PutObject'],
    resources: ['jrn:oss:*:111111111111:test-app/users/*/*/*', 'jrn:oss:*:111111111111:test-app/in/*/*'],
    prefixes: ['users/', 'in/'],
  })
})

t.test('no session both reads and writes, and none has what is never signed', async (t) => {
  const every = ['oss:GetObject', 'oss:PutObject', 'oss:DeleteObject', 'oss:AbortMultipartUpload']
  const more = ['oss:ListMultipartUploadParts', 'oss:ListBucket']
  for (const actions of [[...every, ...more], ['oss:*'], ['*']]) {
    const mine = template(parts(allow(actions, MINE)))
    t.strictSame(sharedGrant(mine, 'reads').actions, ['oss:GetObject'])
    t.strictSame(
      [...sharedGrant(mine, 'writes').actions].sort(),
      every.toSorted().filter((one) => one !== 'oss:GetObject'),
    )
  }
})

t.test('Deny is left out, and so is a statement without an action to sign', async (t) => {
  const mine = template(
    parts(
      allow(['oss:PutObject'], MINE),
      { ...allow(['oss:PutObject'], 'x/*'), Effect: 'Deny' },
      allow(['oss:GetObject'], 'public/*'),
    ),
  )
  const { Statement } = JSON.parse(sharedGrant(mine, 'writes').policy)
  t.equal(Statement.length, 1)
  t.equal(Statement[0].Effect, 'Allow')
})

t.test('a policy that is too large is refused, as for a caller', async (t) => {
  const keys = Array.from({ length: 60 }, (_, i) => `folder-${i}/*`)
  const want = { code: 'policy_too_large', detail: 'it would be over 2048 bytes' }
  const large = template(parts(allow(['oss:PutObject'], ...keys)))
  t.strictSame(
    refusal(() => sharedGrant(large, 'writes')),
    want,
  )
  t.equal(
    refusal(() => sharedGrant(large, 'reads')),
    undefined,
  )
})

t.test("it is as long as the caller's own session, and long enough to be kept", async (t) => {
  const rows = [
    { own: 7200, most: 43_200, want: 7200 },
    { own: 900, most: 43_200, want: 3600 },
    { own: 900, most: 900, want: 900 },
  ]
  for (const { own, most, want } of rows) {
    const grant = shared(template(), 'writes', { ...settings, maxSessionSeconds: most }, { durationSeconds: own })
    t.equal(grant.durationSeconds, want)
  }
})

t.test('no caller can have the name of a shared session', async () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('.signed-writes', 'a', '@', 'mine.signed-reads'))
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/u)
  fc.assert(
    fc.property(
      name,
      name,
      text,
      text,
      fc.boolean(),
      fc.option(text, { nil: undefined }),
      (mine, other, issuer, subject, several, label) => {
        const callers = sessionName(other, { issuer, subject }, several, label)
        return (['reads', 'writes'] as const).every((access) => {
          const { roleSessionName } = sharedGrant(template({}, mine), access)
          return roleSessionName !== callers && /^[A-Za-z0-9_=,.@-]{2,64}$/u.test(roleSessionName)
        })
      },
    ),
    { numRuns: 300 },
  )
})

t.test('it covers what any caller may do, and stays within what the template writes', async (t) => {
  const templates = [
    ...shipped,
    template(
      parts(allow(['oss:PutObject', 'oss:GetObject'], MINE), allow(['oss:DeleteObject'], 'users/${jwt:sub}/tmp-*')),
      'several',
    ),
    template({ policy: { Version: '3', Statement: [statement('${jwt:sub}/*')] } }, 'first'),
  ]
  const segment = fc.stringMatching(/^[a-z0-9.~@-]{1,8}$/u).filter((one) => one !== '.' && one !== '..')
  const actions = {
    reads: ['oss:GetObject'],
    writes: ['oss:PutObject', 'oss:DeleteObject', 'oss:AbortMultipartUpload'],
  }
  let covered = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...templates),
      segment,
      segment,
      segment,
      fc.string({ maxLength: 5 }),
      (one, sub, album, other, rest) => {
        const claims = { sub, tenant: other, tid: other, email: sub, role: 'x' }
        const params = Object.fromEntries(Object.keys(one.params).map((name) => [name, album]))
        const grant = attempt(() =>
          fillIn({ ...one, allow: { issuer: ['app'] } }, { caller: caller(claims), params }, settings),
        )
        for (const access of ['reads', 'writes'] as const) {
          const { policy, resources } = sharedGrant(one, access)
          for (const action of actions[access]) {
            for (const prefix of grant?.prefixes ?? []) {
              for (const text of [prefix, prefix + rest, `${prefix}${other}/${rest}`]) {
                if (!grant || !key(grant.policy, action, text)) continue
                covered++
                if (!key(policy, action, text)) throw new Error(`${action} on ${text} is missing`)
              }
            }
            for (const bucket of ['test-app2', 'test', 'x']) {
              if (key(policy, action, `users/${sub}/a`, bucket)) throw new Error('another bucket is open')
            }
          }
          const literals = one.statements.flatMap(({ resources }) => resources.map(fixedKey))
          const fixed = resources.map((jrn) =>
            jrn
              .slice(jrn.indexOf('/') + 1)
              .split('*', 1)
              .join(''),
          )
          if (fixed.some((start) => !literals.includes(start))) throw new Error(`${resources} is not of the template`)
        }
      },
    ),
    { numRuns: 1000 },
  )
  t.ok(covered > 500, `${covered} were covered`)
})

/** The text of the key before the first variable or wildcard. */
function fixedKey(parts: (typeof shipped)[number]['statements'][number]['resources'][number]): string {
  const texts = { account: settings.account, bucket: settings.bucket, region: settings.region }
  const whole = parts.map((part) => (part.kind === 'literal' ? part.text : part.kind in texts ? 'x' : '*')).join('')
  return whole.slice(whole.indexOf('/') + 1).split('*', 1)[0] ?? ''
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
