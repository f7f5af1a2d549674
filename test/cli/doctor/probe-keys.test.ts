import t from 'tap'
import { probeKeys } from '../../../src/cli/doctor/probe-keys.ts'
import { grantedExamples } from '../../../src/cli/doctor/templates.ts'
import { settings, template } from '../../helpers/templates.ts'

const TARGETS = new Map([['default', { ...settings, issuers: ['app'] }]])

/** The keys that are tried for a template with these resources, whose only example can do these. */
function keysFor(resources: readonly string[], can: readonly string[], Action: readonly string[]) {
  const Resource = resources.map((key) => `jrn:oss:*:\${account}:\${bucket}${key}`)
  const policy = { Version: '3', Statement: [{ Effect: 'Allow', Action, Resource }] }
  const examples = [{ caller: { sub: 'alice' }, can }]
  const [granted] = grantedExamples(template({ policy, examples }), 'default', { settings: TARGETS, now: 0 })
  if (!granted) throw new Error('the example is granted nothing')
  const { keys, onBucket, withoutKey, neighbour } = probeKeys(granted, settings, 'x')
  return { keys: Object.fromEntries(keys), onBucket: [...onBucket], withoutKey, neighbour }
}

const PUT = ['oss:PutObject']
const rows = [
  {
    name: 'a folder',
    tried: keysFor(['/users/${jwt:sub}/*'], ['PutObject users/alice/a/1.jpg'], PUT),
    want: {
      keys: { 'oss:PutObject': 'users/alice/a/.oss-vend-doctor-x' },
      neighbour: 'users/alice.oss-vend-doctor-x/neighbour',
    },
  },
  {
    name: 'one kind of file',
    tried: keysFor(['/users/${jwt:sub}/*.jpg'], ['PutObject users/alice/1.jpg'], PUT),
    want: { keys: { 'oss:PutObject': 'users/alice/.oss-vend-doctor-x.jpg' } },
  },
  {
    name: 'a single object, which may be there already',
    tried: keysFor(['/users/${jwt:sub}/avatar.jpg'], ['PutObject users/alice/avatar.jpg'], PUT),
    want: { keys: {}, withoutKey: PUT },
  },
  {
    name: 'the whole bucket, beside which there is nothing',
    tried: keysFor(['/*'], ['PutObject 1.jpg'], PUT),
    want: { keys: { 'oss:PutObject': '.oss-vend-doctor-x' }, neighbour: undefined },
  },
  {
    name: 'a folder that ends in a pattern, so that its neighbour is open too',
    tried: keysFor(['/users/${jwt:sub}*'], ['PutObject users/alice/1.jpg'], PUT),
    want: { neighbour: undefined },
  },
  {
    name: 'a bucket action',
    tried: keysFor([''], ['ListObjectsV2'], ['oss:ListBucket']),
    want: { keys: {}, onBucket: ['oss:ListBucket'], withoutKey: [], neighbour: undefined },
  },
]
for (const { name, tried, want } of rows) {
  t.test(name, async (t) => t.match(tried, want))
}

t.test('an example is never tried by its own key', async (t) => {
  for (const { tried } of rows) t.notMatch(JSON.stringify(tried.keys), /1\.jpg|avatar/u)
})
