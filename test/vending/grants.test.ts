import fc from 'fast-check'
import t from 'tap'
import { fillIn, type Grant, type GrantRequest } from '../../src/policy/grant/grant.ts'
import { createGrants } from '../../src/vending/grants.ts'
import { caller, refusal, settings, statement, template } from '../helpers/templates.ts'

const several = { ...settings, severalIssuers: true }
const album = template({
  allow: { claims: { sub: { present: true } } },
  params: { album: {}, shelf: {} },
  policy: {
    Version: '3',
    Statement: [statement('${issuer}/${jwt:sub}/${jwt:tenant}/${param:album}/${param:shelf}/*')],
  },
})

/** Counts how often a key is made: once for each time that a template is filled in. */
function counted(options: Readonly<{ maxRemembered?: number; random?: () => number }> = {}) {
  let made = 0
  const keyOf = (grant: Grant) => `${++made} ${grant.policy}`
  return {
    grants: createGrants({ settings: several, keyOf, ...options }),
    made: () => made,
  }
}

t.test('whoever asks for the same again has the same grant, not filled in again', async (t) => {
  const { grants, made } = counted()
  const request = () => ({ caller: caller({ sub: 'alice', tenant: 'a' }), params: { album: 'trip', shelf: 1 } })
  const first = grants(album, request())
  t.strictSame(first.grant, fillIn(album, request(), several))
  const second = grants(album, request())
  t.equal(second.grant, first.grant)
  t.strictSame([first.again, second.again], [false, true])
  t.equal(made(), 1)
})

// Few values, those among them by which parts could run together.
const good = fc.constantFrom('a', '1', '1,1', 1)
const word = fc.oneof({ weight: 9, arbitrary: good }, fc.constantFrom('*', '', '=', 1e21, '1e+21', null, {}))
const param = fc.oneof({ weight: 9, arbitrary: good }, fc.constantFrom('*', 1e21, '1e+21'))
const params = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(param, param).map(([album, shelf]) => ({ album, shelf })) },
  fc.tuple(param, param).map(([album, shelf]) => ({ shelf, album })),
  fc.dictionary(fc.constantFrom('album', 'shelf', 'more'), param),
)
const requests: fc.Arbitrary<GrantRequest> = fc.record({
  // The verifier sees to it that a subject is the claim: here it may be another, so that leaving it out shows.
  caller: fc.record({
    issuer: fc.constantFrom('app', 'web'),
    subject: fc.constantFrom('a', 'b'),
    claims: fc.record({ sub: word, tenant: word }),
  }),
  params,
  durationSeconds: fc.constantFrom(undefined, 3600, 3601),
  sessionLabel: fc.constantFrom(undefined, 'a', 'b'),
})

/** What comes of a request: the grant, or how it is refused. */
function outcome(of: () => Grant): unknown {
  let grant: Grant | undefined
  const refused = refusal(() => {
    grant = of()
  })
  return refused ?? grant
}

/** A request, and the same with one part changed, so that what is remembered of the one meets the other. */
const pairs = fc
  .tuple(
    requests,
    requests,
    fc.constantFrom('issuer', 'subject', 'claims', 'params', 'durationSeconds', 'sessionLabel'),
  )
  .map(([one, other, part]): readonly GrantRequest[] => {
    if (part === 'params' || part === 'durationSeconds' || part === 'sessionLabel')
      return [one, { ...one, [part]: other[part] }]
    return [one, { ...one, caller: { ...one.caller, [part]: other.caller[part] } }]
  })

t.test('a remembered grant is the one that filling in would give, and a refusal stays one', async (t) => {
  const { grants } = counted()
  let remembered = 0
  const { failed, counterexample } = fc.check(
    fc.property(pairs, ([one, other]) =>
      [one, other, one].every((request) => {
        if (!request) return false
        const want = outcome(() => fillIn(album, request, several))
        const got = outcome(() => {
          const { grant, again } = grants(album, request)
          if (again) remembered += 1
          return grant
        })
        return JSON.stringify(got) === JSON.stringify(want)
      }),
    ),
    { numRuns: 10_000 },
  )
  t.notOk(failed, JSON.stringify(counterexample))
  t.ok(remembered > 5000, `${remembered} were remembered`)
})

t.test('of one caller the last few are remembered, whatever differs between them', async (t) => {
  const { grants } = counted()
  const [one, other] = [template({ params: { album: {} } }), template({ params: { album: {} } })]
  const ask = (asked: typeof one, album: string) =>
    grants(asked, { caller: caller({ sub: 'alice' }), params: { album } }).again
  const all = [
    [one, 'a'],
    [other, 'a'],
    [one, 'b'],
    [other, 'b'],
  ] as const
  t.strictSame(
    [...all, ...all].map(([asked, album]) => ask(asked, album)),
    [false, false, false, false, true, true, true, true],
  )
  t.equal(ask(one, 'c'), false, 'one more')
  t.equal(ask(one, 'a'), false, 'takes the place of the first')
})

t.test(
  'conditions are checked each time: they look at the date, and at claims that the grant has nothing of',
  async (t) => {
    const timed = template({ allow: { claims: { scope: ['oss.upload'], until: { atLeast: 'now' } } } })
    const { grants } = counted()
    const alice = (scope: string) => caller({ sub: 'alice', scope, until: 1000 })
    const ask = (scope: string, at: number) => refusal(() => grants(timed, { caller: alice(scope), at }))
    t.equal(ask('oss.upload', 999_000), undefined)
    t.match(ask('oss.upload', 1_001_000), { code: 'policy_not_allowed', detail: 'claim "until" is too low' })
    t.match(ask('other', 999_000), { code: 'policy_not_allowed' })
    t.equal(ask('oss.upload', 999_000), undefined)
  },
)

t.test('a template that is loaded anew is filled in anew', async (t) => {
  const { grants } = counted()
  const of = (folder: string) =>
    template({ policy: { Version: '3', Statement: [statement(`${folder}/\${jwt:sub}/*`)] } })
  const alice = { caller: caller({ sub: 'alice' }) }
  const [before, after] = [of('users'), of('people')]
  t.strictSame(grants(before, alice).grant.prefixes, ['users/alice/'])
  t.strictSame(grants(after, alice).grant.prefixes, ['people/alice/'])
})

t.test('remembers no more than it may, and is not flooded by those who come once', async (t) => {
  const mine = template()
  const rows = [
    { name: 'one who has luck takes the place of the one asked for longest ago', luck: 0, again: [false, true, true] },
    { name: 'the others leave those who are remembered where they are', luck: 0.999, again: [true, true, false] },
  ]
  for (const { name, luck, again } of rows) {
    const { grants } = counted({ maxRemembered: 2, random: () => luck })
    const ask = (sub: string) => grants(mine, { caller: caller({ sub }) }).again
    t.strictSame(['a1', 'b1', 'c1'].map(ask), [false, false, false])
    // Asked from the last to the first, so that asking does not push out who is asked for next.
    t.strictSame(['c1', 'b1', 'a1'].map(ask).reverse(), again, name)
  }
})
