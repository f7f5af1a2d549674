import fc from 'fast-check'
import t from 'tap'
import { sessionName } from '../../../src/policy/grant/session-name.ts'

const GRAMMAR = /^[A-Za-z0-9_=,.@-]{2,64}$/u

t.test('a name is readable if it fits the grammar, and a hash if not', async (t) => {
  const rows = [
    { template: 'user-upload', subject: 'alice', one: 'user-upload@alice', several: 'user-upload@app.alice' },
    { template: 'u', subject: 'a', one: 'u@a', several: 'u@app.a' },
    { template: 'u', subject: 'a@b.test', one: 'u@a@b.test', several: 'u@app.a@b.test' },
    { template: 'u', subject: 'a'.repeat(62), one: `u@${'a'.repeat(62)}`, several: '=' },
    { template: 'u', subject: 'a'.repeat(58), one: `u@${'a'.repeat(58)}`, several: `u@app.${'a'.repeat(58)}` },
    { template: 'u', subject: 'a'.repeat(63), one: '=', several: '=' },
    { template: 'u', subject: '=a', one: '=', several: 'u@app.=a' },
    { template: 'u', subject: '李雷', one: '=', several: '=' },
    { template: 'u', subject: 'a b', one: '=', several: '=' },
    { template: 'u', subject: 'auth0|7', one: '=', several: '=' },
    { template: 'u', subject: 'a/b', one: '=', several: '=' },
    { template: 'u', subject: 'a\n', one: '=', several: '=' },
  ]
  for (const { template, subject, one, several } of rows) {
    for (const [severalIssuers, want] of [
      [false, one],
      [true, several],
    ] as const) {
      t.test(`${JSON.stringify(subject).slice(0, 20)} of ${severalIssuers ? 'several' : 'one'}`, async (t) => {
        const name = sessionName(template, { issuer: 'app', subject }, severalIssuers)
        if (want === '=') t.match(name, /^u@=[A-Za-z0-9_-]{27}$/u)
        else t.equal(name, want)
      })
    }
  }
  t.test('the longest template leaves room for a hash', async (t) => {
    t.match(sessionName('t'.repeat(32), { issuer: 'i'.repeat(32), subject: '*' }, true), GRAMMAR)
  })
  t.test('the same caller always has the same name', async (t) => {
    const name = () => sessionName('u', { issuer: 'app', subject: '李雷' }, true)
    t.equal(name(), name())
  })
})

type Who = Readonly<{ template: string; issuer: string; subject: string }>

const nameOf = ({ template, issuer, subject }: Who, several: boolean) =>
  sessionName(template, { issuer, subject }, several)
const shortName = fc.oneof(
  fc.constantFrom('a', 'app', 'app-1', 'a-p', 'w'.repeat(32)),
  fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/),
)
const plain = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...'ab=.@-,_'), minLength: 1, maxLength: 66 }),
  fc.constantFrom('\ud800', '\udc00', '\ufffd', '\\ud800', '=', '.', '@', 'a', 'A', 'é', 'e\u0301'),
)

/** Two callers, the second often made to read like the first: its name, its hash, its issuer run into its subject. */
const pair = fc
  .record({ template: shortName, issuer: shortName, subject: plain, several: fc.boolean() })
  .chain(({ several, ...first }) => {
    const name = nameOf(first, several)
    const forged = fc.constantFrom(
      name,
      name.slice(name.indexOf('@') + 1),
      nameOf(first, !several).slice(first.template.length + 1),
      `${first.issuer}.${first.subject}`,
      `${first.template}@${first.subject}`,
      `=${first.subject}`,
      `.${first.subject}`,
      `${first.subject}\u0000`,
      first.subject.toUpperCase(),
      first.subject.normalize('NFD'),
      first.subject.slice(0, 62),
      first.subject,
    )
    const second = fc.record({
      template: fc.oneof(fc.constant(first.template), shortName),
      // With one issuer configured, there is no other.
      issuer: several ? fc.oneof(fc.constant(first.issuer), shortName) : fc.constant(first.issuer),
      subject: fc.oneof(forged, plain),
    })
    return second.map((other) => ({ several, first, second: other }))
  })

t.test('two callers never share a name, and every name fits the grammar', async (t) => {
  let forgeries = 0
  fc.assert(
    fc.property(pair, ({ several, first, second }) => {
      const names = [nameOf(first, several), nameOf(second, several)]
      for (const name of names) if (!GRAMMAR.test(name)) return false
      const same =
        first.template === second.template && first.issuer === second.issuer && first.subject === second.subject
      if (!same && nameOf(first, several).endsWith(second.subject)) forgeries++
      return (names[0] === names[1]) === same
    }),
    { numRuns: 8000 },
  )
  t.ok(forgeries > 50, 'many pairs were forgeries')
})

t.test('a label follows the name, cut to what fits', async (t) => {
  const rows = [
    { name: 'a label', subject: 'alice', label: 'build-7', want: 'u@alice@@build-7' },
    { name: 'what AWS allows and JD Cloud may not', subject: 'alice', label: 'a+b', want: 'u@alice@@a_b' },
    { name: 'line ends and worse', subject: 'alice', label: 'a\r\n<b>照', want: 'u@alice@@a___b__' },
    { name: 'a long one', subject: 'alice', label: 'b'.repeat(64), want: `u@alice@@${'b'.repeat(55)}` },
    { name: 'room for one character', subject: 'a'.repeat(59), label: 'bc', want: `u@${'a'.repeat(59)}@@b` },
    { name: 'room for none', subject: 'a'.repeat(60), label: 'bc', want: `u@${'a'.repeat(60)}` },
    { name: 'room for less than none', subject: 'a'.repeat(62), label: 'bc', want: `u@${'a'.repeat(62)}` },
  ]
  for (const { name, subject, label, want } of rows) {
    t.test(name, async (t) => t.equal(sessionName('u', { issuer: 'app', subject }, false, label), want))
  }
  t.test('a subject that reads like one with a label is hashed', async (t) => {
    for (const subject of ['alice@@build-7', 'alice@', '@@']) {
      t.match(sessionName('u', { issuer: 'app', subject }, false), /^u@=[A-Za-z0-9_-]{27}$/u, subject)
    }
  })
})

const labelled = fc.oneof(
  fc.constant(undefined),
  fc.stringMatching(/^[\w+=,.@-]{2,64}$/u),
  fc.string({ unit: fc.constantFrom(...'ab=@'), minLength: 1, maxLength: 9 }),
)
const short = fc.string({ unit: fc.constantFrom(...'ab=@.'), minLength: 1, maxLength: 7 })

t.test('two callers never share a name, whatever their labels are', async (t) => {
  let alike = 0
  const who = fc.record({ subject: fc.oneof(short, plain), label: labelled })
  // The second is often the caller whom the first's name seems to be of.
  const both = who.chain((first) => {
    const name = sessionName('u', { issuer: 'app', subject: first.subject }, false, first.label).slice(2)
    const forged = fc.nat(name.length).map((at) => ({ subject: name.slice(0, at) || 'a', label: name.slice(at) }))
    return fc.tuple(
      fc.constant(first),
      fc.oneof(forged, fc.record({ subject: fc.constant(name), label: labelled }), who),
    )
  })
  fc.assert(
    fc.property(both, ([first, second]) => {
      const [one, other] = [first, second].map(({ subject, label }) =>
        sessionName('u', { issuer: 'app', subject }, false, label),
      )
      if (one === undefined || !GRAMMAR.test(one)) return false
      if (first.subject !== second.subject && second.subject.includes('@@')) alike++
      return one !== other || first.subject === second.subject
    }),
    { numRuns: 8000 },
  )
  t.ok(alike > 50, 'and many were made to be mistaken')
})
