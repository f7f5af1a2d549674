import t from 'tap'
import { parseDenials } from '../../src/config/deny-file.ts'
import { faultLines } from '../helpers/config-faults.ts'

const ISSUERS = ['app', 'partner']

/** The entries, or `<place>: <rule>` of each fault. */
function parse(text: string) {
  const read = parseDenials(text, ISSUERS)
  return 'denials' in read ? read.denials : read.faults.map(({ at, rule }) => `${at}: ${rule}`)
}

const FULL = `
subjects:
  - subject: auth0|5f7c8ec7
    issuer: app
    reason: "phone stolen, ticket 4711"
    until: 2030-01-31T12:00:00Z
issuers:
  - issuer: partner
tokenIds:
  - { tokenId: 3f0c, issuer: app }
`

t.test('a file of each kind of entry', async (t) => {
  t.strictSame(parse(FULL), [
    {
      by: 'subject',
      issuer: 'app',
      name: 'auth0|5f7c8ec7',
      reason: 'phone stolen, ticket 4711',
      until: Date.UTC(2030, 0, 31, 12),
    },
    { by: 'issuer', issuer: 'partner', name: '' },
    { by: 'token', issuer: 'app', name: '3f0c' },
  ])
})

t.test('an entry means what it says, or is refused', async (t) => {
  const named = (name: string) => [{ by: 'subject', issuer: 'app', name }]
  const bad = 'must name a readable YAML or JSON file of at most 1 MiB that is not empty'
  const rows: { name: string; text: string; want: unknown }[] = [
    { name: 'JSON', text: '{"subjects":[{"subject":"alice","issuer":"app"}]}', want: named('alice') },
    { name: 'nobody, said in so many words', text: '{}', want: [] },
    { name: 'empty lists', text: 'subjects: []\nissuers: []\n', want: [] },
    { name: 'digits stay a text', text: 'subjects:\n  - { subject: 007, issuer: app }', want: named('007') },
    {
      name: 'a number that JSON would change',
      text: '{"subjects":[{"subject":12345678901234567890,"issuer":"app"}]}',
      want: named('12345678901234567890'),
    },
    {
      name: 'a text that YAML could take for something else',
      text: 'subjects:\n  - { subject: "null", issuer: app }\n',
      want: named('null'),
    },
    { name: 'the same without quotes', text: 'subjects:\n  - { subject: no, issuer: app }\n', want: named('no') },
    {
      name: 'an offset',
      text: 'issuers: [{ issuer: app, until: "2030-01-31T12:00:00+08:00" }]',
      want: [{ by: 'issuer', issuer: 'app', name: '', until: Date.UTC(2030, 0, 31, 4) }],
    },
    { name: 'nothing', text: '', want: [': must hold one or more of subjects, issuers and tokenIds'] },
    { name: 'a comment alone', text: '# to do', want: [': must hold one or more of subjects, issuers and tokenIds'] },
    { name: 'a list', text: '- subject: alice', want: [': must hold one or more of subjects, issuers and tokenIds'] },
    { name: 'no YAML', text: 'subjects: [', want: [`: ${bad}`] },
    { name: 'a list that is empty by mistake', text: 'subjects:\n', want: ['.subjects: must be a list'] },
    { name: 'a member of JSON twice', text: '{"subjects":[],"subjects":[]}', want: [`: ${bad}`] },
    { name: 'a member twice', text: 'subjects: []\nsubjects: []\n', want: [`: ${bad}`] },
    {
      name: 'an entry without its subject',
      text: 'subjects:\n  - issuer: app\n',
      want: ['.subjects[0].subject: is required'],
    },
    {
      name: 'a subject without a text',
      text: 'subjects:\n  - { subject: , issuer: app }\n',
      want: ['.subjects[0].subject: must not be empty'],
    },
    {
      name: 'an entry without its issuer',
      text: 'subjects:\n  - subject: alice\n',
      want: ['.subjects[0].issuer: is required'],
    },
    {
      name: 'an issuer by its address',
      text: 'issuers:\n  - issuer: https://login.example.com\n',
      want: ['.issuers[0].issuer: must be the short name of an issuer'],
    },
    {
      name: 'an unknown issuer',
      text: 'issuers:\n  - issuer: partnr\n',
      want: ['.issuers[0].issuer: must be an issuer that is configured'],
    },
    {
      name: 'a subject among the issuers',
      text: 'issuers:\n  - { subject: alice, issuer: app }\n',
      want: ['.issuers[0]: must not have an unknown field'],
    },
    { name: 'an unknown list', text: 'subject: []\n', want: [': must not have an unknown field'] },
    {
      name: 'a day without a time',
      text: 'issuers: [{ issuer: app, until: 2030-01-31 }]',
      want: ['.issuers[0].until: must be a date and time such as 2030-01-31T12:00:00Z'],
    },
    {
      name: 'a time without a zone',
      text: 'issuers: [{ issuer: app, until: "2030-01-31T12:00:00" }]',
      want: ['.issuers[0].until: must be a date and time such as 2030-01-31T12:00:00Z'],
    },
    {
      name: 'a subject too long',
      text: `subjects: [{ subject: ${'x'.repeat(1025)}, issuer: app }]`,
      want: ['.subjects[0].subject: must have at most 1024 characters'],
    },
    {
      name: 'too many',
      text: JSON.stringify({ issuers: Array(5001).fill({ issuer: 'app' }) }),
      want: [': must hold at most 5000 entries'],
    },
  ]
  for (const { name, text, want } of rows) t.test(name, async (t) => t.strictSame(parse(text), want))
})

t.test('remedies name what was meant, and never a person', async (t) => {
  const remedies = (text: string) => {
    const read = parseDenials(text, ISSUERS)
    return 'faults' in read ? read.faults.map(({ rule, remedy }) => `${rule} ${remedy}`).join() : ''
  }
  t.match(remedies('issuers: [{ issuer: partnr }]'), 'did you mean partner?')
  t.match(remedies('subjects: [{ subjct: secret-person, issuer: app }]'), 'did you mean subject?')
  t.notMatch(remedies('subjects: [{ subjct: secret-person, issuer: app, until: secret-person }]'), 'secret-person')
})

t.test('the service does not start with a bad file', async (t) => {
  const dir = t.testdir({
    good: FULL.replace('partner', 'app'),
    empty: '',
    bad: 'subjects: [{}]',
    huge: `# ${'x'.repeat(1024 * 1024)}\n{}`,
  })
  const rows = [
    { name: 'good', want: [] },
    { name: 'missing', want: [/^DENY_FILE: must name a readable/u] },
    { name: '', want: [/^DENY_FILE: must name a readable/u] },
    { name: 'empty', want: [/^DENY_FILE: must name a readable/u] },
    { name: 'huge', want: [/^DENY_FILE: must name a readable/u] },
    { name: 'bad', want: [/^DENY_FILE\.subjects\[0\]\.subject: is required/u, /^DENY_FILE\.subjects\[0\]\.issuer: /u] },
  ]
  for (const { name, want } of rows) t.match(faultLines({ DENY_FILE: `${dir}/${name}` }), want, name)
})
