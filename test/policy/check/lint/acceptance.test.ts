import t, { type Test } from 'tap'
import { inspectTemplates, loadCatalogue } from '../../../../src/policy/check/catalogue.ts'
import { SHARED_AND_PERSONAL } from '../../../../src/policy/check/lint/colliding-folders.ts'
import { RULES } from '../../../../src/policy/check/lint/rules.ts'
import { fillIn } from '../../../../src/policy/grant/grant.ts'
import { ACCEPTABLE_RULES } from '../../../../src/policy/template/accept.ts'
import { placeOf } from '../../../../src/policy/template/finding.ts'
import { caller, settings, statement, templateText } from '../../../helpers/templates.ts'

const one = { ...settings, issuers: ['app'] }
const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
const examples = [{ caller: { sub: 'a' }, cannot: ['PutObject x/1'] }]
const text = (path: string, Action: readonly string[], more: Record<string, unknown> = {}) =>
  templateText({ policy: { Version: '3', Statement: [{ ...statement(path), Action }] }, examples, ...more })

/** `<file>:<line> <severity> <rule>` for all that is found. */
async function found(t: Test, files: Record<string, string>): Promise<string[]> {
  const { findings } = await inspectTemplates(t.testdir(files), one)
  return findings.map(({ file, line, severity, rule }) => {
    const name = file.split('/').at(-1) ?? ''
    return `${placeOf({ file: name, ...(line !== undefined && { line }) })} ${severity} ${rule}`
  })
}

t.test('each rule that can be accepted exists, and is an error', async (t) => {
  const errors = [...RULES, { id: SHARED_AND_PERSONAL.rule, severity: SHARED_AND_PERSONAL.severity }]
  for (const id of ACCEPTABLE_RULES) {
    t.match(
      errors.find((rule) => rule.id === id),
      { severity: 'error' },
      id,
    )
  }
})

t.test('a locked claim may name folders once the template accepts it', async (t) => {
  const allow = { issuer: 'app', claims: { email: { present: true }, email_verified: { equals: true } } }
  const mail = (more: Record<string, unknown>) => ({
    'mail.yaml': text('mail/${jwt:email}/*', WRITE, { allow, ...more }),
  })
  t.strictSame(await found(t, mail({})), ['mail.yaml:1 error user-chosen-claim'])
  t.strictSame(await found(t, mail({ sharedBy: 'email' })), ['mail.yaml:1 error user-chosen-claim'])
  const accept = { 'user-chosen-claim': 'locked by our provider, and never given out again' }
  t.strictSame(await found(t, mail({ accept })), ['mail.yaml:1 accepted user-chosen-claim'])

  const { catalogue } = await loadCatalogue(t.testdir(mail({ accept })), one)
  const template = catalogue.get('mail')
  if (!template) return t.fail('it is served')
  const alice = caller({ sub: '1', email: 'alice@example.com', email_verified: true })
  t.strictSame(fillIn(template, { caller: alice }, one).prefixes, ['mail/alice@example.com/'])
  // It says nothing of subjects: somebody's e-mail address may be somebody else's sub.
  const beside = { ...mail({ accept }), 'sub.yaml': text('mail/${jwt:sub}/*', WRITE) }
  return t.ok((await found(t, beside)).includes('sub.yaml:1 error colliding-folders'))
})

t.test('an acceptance that nothing needs is stale', async (t) => {
  const accept = { 'shared-and-personal': 'operators see to users' }
  const operators = { 'a.yaml': text('users/*', ['oss:GetObject'], { accept }) }
  t.strictSame(await found(t, operators), ['a.yaml:1 warning stale-acceptance'])
  const users = text('users/${jwt:sub}/*', WRITE)
  t.strictSame(await found(t, { ...operators, 'b.yaml': users }), ['a.yaml:1 accepted shared-and-personal'])
  const both = {
    'a.yaml': text('users/*', ['oss:GetObject']),
    'b.yaml': users.replace('{', `{"accept":${JSON.stringify(accept)},`),
  }
  t.strictSame(await found(t, both), ['a.yaml:1 error shared-and-personal', 'b.yaml:1 warning stale-acceptance'])
  // A bad template may be the one that it is for.
  t.strictSame(await found(t, { ...operators, 'b.yaml': '[' }), ['b.yaml:1 error syntax'])
})

t.test('findings across templates have a place', async (t) => {
  const operators = `description: d
allow: { issuer: app }
accept:
  list-bucket: operators list the bucket
policy:
  Version: "3"
  Statement:
    - Effect: Allow
      Action: oss:GetObject
      Resource:
        - jrn:oss:*:\${account}:\${bucket}/public/*
        - jrn:oss:*:\${account}:\${bucket}/users/*
        - jrn:oss:*:\${account}:\${bucket}/users/alice/*
examples: ${JSON.stringify(examples)}
`
  const files = { 'a.yaml': operators, 'b.yaml': text('users/${jwt:sub}/*', WRITE) }
  t.strictSame(await found(t, files), [
    'a.yaml:12 error shared-and-personal',
    'a.yaml:13 error shared-and-personal',
    'a.yaml:4 warning stale-acceptance',
  ])
})
