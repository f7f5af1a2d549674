import fc from 'fast-check'
import t from 'tap'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { DATE_PATTERNS } from '../../../src/policy/template/date.ts'
import { cacheKey } from '../../../src/sessions/cache-key.ts'
import { caller, settings, statement, template } from '../../helpers/templates.ts'

const made = (path: string) =>
  template({ params: { x: { default: 'x' } }, policy: { Version: '3', Statement: [statement(path)] } })
const grantAt = (path: string, time: string, claims = {}) =>
  fillIn(made(path), { caller: caller({ sub: 'alice', ...claims }), at: Date.parse(time) }, settings)

t.test('the day of the request, in UTC', async (t) => {
  const rows = [
    { pattern: 'yyyy/MM/dd', want: '2026/03/01' },
    { pattern: 'yyyy/MM', want: '2026/03' },
    { pattern: 'yyyy', want: '2026' },
    { pattern: 'yyyy-MM-dd', want: '2026-03-01' },
    { pattern: 'yyyy-MM', want: '2026-03' },
  ]
  t.strictSame(
    rows.map(({ pattern }) => pattern),
    DATE_PATTERNS,
  )
  for (const { pattern, want } of rows) {
    const { prefixes } = grantAt(`u/\${jwt:sub}/\${date:${pattern}}/*`, '2026-03-01T00:00:00Z')
    t.strictSame(prefixes, [`u/alice/${want}/`], pattern)
  }
})

t.test('midnight in UTC begins a new grant, and a new session', async (t) => {
  const path = 'u/${jwt:sub}/${date:yyyy/MM/dd}/*'
  const at = (time: string) => grantAt(path, time)
  t.strictSame(at('2026-12-31T23:59:59.999Z').prefixes, ['u/alice/2026/12/31/'])
  t.strictSame(at('2027-01-01T00:00:00Z').prefixes, ['u/alice/2027/01/01/'])
  t.strictSame(at('2027-01-01T07:30:00+08:00').prefixes, ['u/alice/2026/12/31/'], 'whatever the local day is')
  const key = (time: string) => cacheKey('sts role', at(time))
  t.equal(key('2026-12-31T00:00:00Z'), key('2026-12-31T23:59:59Z'), 'one session serves a day')
  t.not(key('2026-12-31T23:59:59Z'), key('2027-01-01T00:00:00Z'))
})

t.test('all dates of a grant are of one moment', async (t) => {
  let reads = 0
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  // Each look at the clock is another year.
  Date.now = () => Date.UTC(2026 + reads++, 0, 1)
  const { prefixes } = fillIn(
    made('${date:yyyy}/${date:yyyy}/${jwt:sub}/*'),
    { caller: caller({ sub: 'a' }) },
    settings,
  )
  t.strictSame(prefixes, ['2026/2026/a/'])
  t.equal(reads, 1)
})

t.test('no claim and no parameter names the day', async () => {
  const time = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  const claims = fc.dictionary(fc.constantFrom('date', 'at', 'iat', 'exp', 'yyyy', 'now', '__proto__'), fc.anything())
  const property = fc.property(time, claims, (time, claims) => {
    const grant = fillIn(
      made('u/${jwt:sub}/${date:yyyy-MM-dd}/*'),
      { caller: caller({ ...claims, sub: 'alice' }), at: time.getTime() },
      settings,
    )
    return grant.prefixes.join() === `u/alice/${time.toISOString().slice(0, 10)}/`
  })
  fc.assert(property)
})
