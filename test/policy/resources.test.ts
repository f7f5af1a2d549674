import t from 'tap'
import { parseTemplate } from '../../src/policy/parse.ts'
import { resourceFaults } from '../../src/policy/resources.ts'
import { settings, template, templateText } from '../helpers/templates.ts'

const params = { x: {}, dir: { kind: 'path' } }
const allowing = (Action: unknown, Resource: string) => ({
  Version: '3',
  Statement: [{ Effect: 'Allow', Action, Resource }],
})

t.test('a resource that opens more than it seems to', async (t) => {
  const touching =
    'a claim must be alone between two slashes, but for fixed text: what touches it could make two callers one'
  const spanning = 'nothing that spans slashes, * or a path parameter, may stand before a claim'
  const early = 'has a value of the caller before the key'
  const bucket = 'is not in the configured bucket: write ${bucket}'
  const account = 'is not in the configured account: write ${account}'
  const form = 'is not an OSS resource: write jrn:oss:*:${account}:${bucket}/…'
  const key = (text: string) => `jrn:oss:*:\${account}:\${bucket}/${text}`
  const rows = [
    { resource: key('users/${jwt:sub}/*') },
    { resource: key('users/${jwt:sub}/avatar.png') },
    { resource: key('users/u-${jwt:sub}.d/*') },
    { resource: key('users/${issuer}.${jwt:sub}/*') },
    { resource: key('users/${jwt:sub}/${param:x}/*') },
    { resource: key('users/${jwt:sub}/${param:dir}/*') },
    { resource: key('${param:x}/${jwt:sub}/*') },
    { resource: key('users/${jwt:sub}/*/${param:x}-*') },
    { resource: key('public/*') },
    { resource: 'jrn:oss:${region}:111111111111:test-app/public/*' },
    { resource: 'jrn:oss:*:*:test-app' },
    { resource: key('users/${jwt:sub}*'), want: touching },
    { resource: key('users/*${jwt:sub}/*'), want: touching },
    { resource: key('users/${jwt:sub}${param:x}/*'), want: touching },
    { resource: key('users/${jwt:sub}-${param:x}/*'), want: touching },
    { resource: key('users/${param:dir}${jwt:sub}/*'), want: touching },
    { resource: key('users/${jwt:a}.${jwt:b}/*'), want: touching },
    { resource: key('teams/*/${jwt:sub}/*'), want: spanning },
    { resource: key('teams/x*/${jwt:sub}/*'), want: spanning },
    { resource: key('${param:dir}/${jwt:sub}/*'), want: spanning },
    { resource: 'jrn:oss:*:${jwt:account}:${bucket}/x/*', want: early },
    { resource: 'jrn:oss:${param:x}:${account}:${bucket}/x/*', want: early },
    { resource: 'jrn:oss:*:${account}:${jwt:sub}/*', want: early },
    { resource: 'jrn:oss:*:${account}:app-${param:x}/*', want: early },
    { resource: 'jrn:oss:*:${account}:*', want: bucket },
    { resource: 'jrn:oss:*:${account}:test-app*', want: bucket },
    { resource: 'jrn:oss:*:${account}:test-app2/*', want: bucket },
    { resource: 'jrn:oss:*:${account}:${issuer}/*', want: bucket },
    { resource: 'jrn:oss:*:222222222222:${bucket}/*', want: account },
    { resource: '*', want: form },
    { resource: 'hello', want: form },
    { resource: 'jrn:iam::${account}:role/test-role', want: form },
    { resource: 'arn:aws:s3:::${bucket}/*', want: form },
  ]
  for (const { resource, want } of rows) {
    t.test(resource, async (t) => {
      const compiled = template({ params, policy: allowing('oss:PutObject', resource) })
      const path = ['policy', 'Statement', 0, 'Resource', 0]
      t.strictSame(resourceFaults(compiled, settings), want === undefined ? [] : [{ path, message: want }])
    })
  }
})

t.test('an action that OSS does not have', async (t) => {
  const rows = [
    { action: 'oss:PutObjct', want: /did you mean oss:PutObject\?$/u },
    { action: 'oss:putobject', want: /did you mean oss:PutObject\?$/u },
    { action: 's3:PutObject', want: /did you mean oss:PutObject\?$/u },
    { action: 'oss:Write', want: /there are oss:PutObject, oss:GetObject, /u },
    { action: 'oss:*', want: /is not an OSS action/u },
    { action: '*', want: /is not an OSS action/u },
    { action: 'iam:CreateUser', want: /is not an OSS action/u },
  ]
  for (const { action, want } of rows) {
    t.test(action, async (t) => {
      const { faults } = parseTemplate('a.yaml', 'a', templateText({ policy: allowing(action, '*') }))
      t.match(faults, [{ line: 1, message: want }])
    })
  }
})

t.test('a pattern that can take exponential time', async (t) => {
  for (const pattern of ['([a-z0-9]+-?)+', '(a+)+', '(.*)*x']) {
    const { faults } = parseTemplate('a.yaml', 'a', templateText({ params: { x: { pattern } } }))
    t.match(faults, [{ message: /params\.x\.pattern: can take exponential time/u }], pattern)
  }
})
