import fc from 'fast-check'
import t from 'tap'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { caller, refusal, settings, statement, template } from '../../helpers/templates.ts'

const resource = (path: string) => `jrn:oss:*:111111111111:test-app/${path}`
const made = (params: Record<string, unknown>, path = 'orgs/${param:org}/*') =>
  template({ params, policy: { Version: '3', Statement: [statement(path)] } })
const fill = (
  params: Record<string, unknown>,
  claims: Record<string, unknown>,
  given?: Record<string, string | number>,
) => fillIn(made(params), { caller: caller({ sub: 'alice', ...claims }), params: given }, settings).resources

t.test('oneOf lets callers choose among their own values', async (t) => {
  const org = { oneOf: 'jwt:orgs' }
  const denied = (detail: string) => ({ code: 'policy_not_allowed', detail })
  const foreign = denied('parameter "org" is none of the caller\'s own values in claim "orgs"')
  const nothing = denied('claim "orgs" holds nothing to choose from')
  const fault = (detail: string) => ({ code: 'invalid_request', errors: [{ pointer: '/params/org', detail }] })
  const unsafe = {
    code: 'unsafe_value',
    detail: 'parameter "org" must be 1 to 128 letters, digits and -_.~@+=,|, and not . or ..',
  }
  const rows: {
    name: string
    param?: Record<string, unknown>
    orgs?: unknown
    given?: Record<string, string | number>
    want: string | object
  }[] = [
    { name: 'an item', orgs: ['acme', 'globex'], given: { org: 'globex' }, want: 'orgs/globex/*' },
    { name: 'a number in both', orgs: [17], given: { org: 17 }, want: 'orgs/17/*' },
    { name: 'a number as text, as in a query', orgs: [17], given: { org: '17' }, want: 'orgs/17/*' },
    { name: 'the only one, as text', orgs: 'acme', given: { org: 'acme' }, want: 'orgs/acme/*' },
    { name: 'a word', orgs: 'acme globex', given: { org: 'globex' }, want: 'orgs/globex/*' },
    { name: "another's", orgs: ['acme'], given: { org: 'globex' }, want: foreign },
    { name: 'the start of one', orgs: ['acme'], given: { org: 'acm' }, want: foreign },
    { name: 'one and more', orgs: ['acme'], given: { org: 'acme2' }, want: foreign },
    { name: 'another case', orgs: ['acme'], given: { org: 'Acme' }, want: foreign },
    { name: 'a word of an item', orgs: ['acme globex', 'x'], given: { org: 'acme' }, want: foreign },
    { name: 'a wildcard that the token holds', orgs: ['*', 'acme'], given: { org: '*' }, want: unsafe },
    {
      name: 'a wildcard that the token holds, for another',
      orgs: ['*', 'acme'],
      given: { org: 'globex' },
      want: foreign,
    },
    { name: 'a step up', orgs: ['..', 'acme'], given: { org: '..' }, want: unsafe },
    { name: 'a path', orgs: ['acme/x', 'acme'], given: { org: 'acme/x' }, want: unsafe },
    { name: 'nothing given', orgs: ['acme'], want: fault('is required') },
    { name: 'a key of an object', orgs: { acme: true }, given: { org: 'acme' }, want: nothing },
    { name: 'a property of every list', orgs: ['acme'], given: { org: 'length' }, want: foreign },
    { name: 'an index', orgs: ['acme'], given: { org: 0 }, want: foreign },
    { name: 'a list in a list', orgs: [['acme']], given: { org: 'acme' }, want: nothing },
    { name: 'no list', orgs: [], given: { org: 'acme' }, want: nothing },
    { name: 'null', orgs: null, given: { org: 'acme' }, want: nothing },
    { name: 'true', orgs: true, given: { org: 'true' }, want: nothing },
    { name: 'no claim', given: { org: 'acme' }, want: denied('claim "orgs" is missing') },
    {
      name: 'a pattern too',
      param: { ...org, pattern: 'g.*' },
      orgs: ['acme', 'globex'],
      given: { org: 'acme' },
      want: fault('does not match ^(?:g.*)$'),
    },
    { name: 'a default of the own', param: { ...org, default: 'acme' }, orgs: ['acme'], want: 'orgs/acme/*' },
    { name: "a default of another's", param: { ...org, default: 'acme' }, orgs: ['globex'], want: foreign },
  ]
  for (const { name, param = org, orgs, given, want } of rows) {
    t.test(name, async (t) => {
      const attempt = () => fill({ org: param }, orgs === undefined ? {} : { orgs }, given)
      if (typeof want === 'string') t.strictSame(attempt(), [resource(want)])
      else t.strictSame(refusal(attempt), want)
    })
  }
  t.test('dots reach into objects', async (t) => {
    const nested = { org: { oneOf: 'jwt:app_metadata.orgs' } }
    t.strictSame(fill(nested, { app_metadata: { orgs: ['acme'] } }, { org: 'acme' }), [resource('orgs/acme/*')])
  })
  t.test('a parameter that no resource uses is checked all the same', async (t) => {
    const unused = made({ org }, 'users/${jwt:sub}/*')
    const attempt = (params: Record<string, string>) =>
      refusal(() => fillIn(unused, { caller: caller({ sub: 'alice', orgs: ['acme'] }), params }, settings))
    t.strictSame(attempt({ org: 'globex' }), foreign)
    t.equal(attempt({ org: 'acme' }), undefined)
  })
})

t.test('a default stands in for a parameter that is not given', async (t) => {
  const org = { org: { default: 'main', pattern: '[a-z]+' } }
  t.strictSame(fill(org, {}), [resource('orgs/main/*')])
  t.strictSame(fill(org, {}, {}), [resource('orgs/main/*')])
  t.strictSame(fill(org, {}, { org: 'other' }), [resource('orgs/other/*')])
  t.strictSame(fill({ org: { default: 2026 } }, {}), [resource('orgs/2026/*')], 'a number is its decimal text')
  t.strictSame(fill({ org: { default: 'a/b', kind: 'path' } }, {}), [resource('orgs/a/b/*')])
  t.match(
    refusal(() => fill(org, {}, { org: '' })),
    { code: 'unsafe_value' },
    'an empty text is a given value',
  )
  t.match(
    refusal(() => fill(org, {}, { org: 'X' })),
    { code: 'invalid_request' },
  )
  const inherited: Record<string, string> = Object.create({ org: 'evil' })
  t.strictSame(fill(org, {}, inherited), [resource('orgs/main/*')], 'an inherited one is not given')
  const [given, left] = [{ org: 'main' }, {}].map((params) =>
    fillIn(made(org), { caller: caller({ sub: 'a' }), params }, settings),
  )
  t.strictSame(given, left, 'and both are one grant, so they share a session')
})

t.test('oneOf lets nobody in who is not a member, whatever the token holds', async (t) => {
  const word = fc.oneof(
    fc.constantFrom('acme', 'globex', 'acme2', 'a', '*', '..', 'acme globex', ' ', '', 'é', '\ud800'),
    fc.constantFrom('acme', 'globex', 'acme2'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const orgs = fc.oneof(
    word,
    fc.array(word, { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof(word, fc.integer(), fc.anything()), { maxLength: 5 }),
    fc.anything(),
  )
  const only = made({ org: { oneOf: 'jwt:orgs' } })
  let granted = 0
  const property = fc.property(orgs, fc.oneof(word, fc.integer()), (orgs, org) => {
    let resources: readonly string[] | undefined
    const attempt = () => {
      resources = fillIn(only, { caller: caller({ sub: 'alice', orgs }), params: { org } }, settings).resources
    }
    if (refusal(attempt)) return true
    granted++
    const member = Array.isArray(orgs)
      ? orgs.some((one) => String(one) === String(org) && ['string', 'number'].includes(typeof one))
      : [orgs, ...(typeof orgs === 'string' ? orgs.split(' ') : [])].some((one) => String(one) === String(org))
    return member && resources?.join() === resource(`orgs/${org}/*`)
  })
  fc.assert(property, { numRuns: 5000 })
  t.ok(granted > 50, `${granted} were granted`)
})
