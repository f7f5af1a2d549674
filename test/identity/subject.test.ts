import fc from 'fast-check'
import t from 'tap'
import { isExactNumber, subjectOf } from '../../src/identity/subject.ts'

const text = { path: ['sub'], type: 'text' } as const
const integer = { path: ['sub'], type: 'integer' } as const

t.test('one value of the claim is one subject', async (t) => {
  const rows = [
    { value: 'alice', asText: 'alice', asInteger: undefined },
    { value: '1', asText: '1', asInteger: undefined },
    { value: '', asText: undefined, asInteger: undefined },
    { value: 1, asText: undefined, asInteger: '1' },
    { value: 0, asText: undefined, asInteger: '0' },
    { value: -7, asText: undefined, asInteger: '-7' },
    { value: 9_007_199_254_740_991, asText: undefined, asInteger: '9007199254740991' },
    { value: 9_007_199_254_740_992, asText: undefined, asInteger: undefined },
    { value: -0, asText: undefined, asInteger: undefined },
    { value: 1.5, asText: undefined, asInteger: undefined },
    { value: 1e21, asText: undefined, asInteger: undefined },
    { value: Number.NaN, asText: undefined, asInteger: undefined },
    { value: Number.POSITIVE_INFINITY, asText: undefined, asInteger: undefined },
    { value: true, asText: undefined, asInteger: undefined },
    { value: null, asText: undefined, asInteger: undefined },
    { value: ['alice'], asText: undefined, asInteger: undefined },
    { value: [1], asText: undefined, asInteger: undefined },
    { value: { sub: 'alice' }, asText: undefined, asInteger: undefined },
    { value: undefined, asText: undefined, asInteger: undefined },
  ]
  for (const { value, asText, asInteger } of rows) {
    t.equal(subjectOf({ sub: value }, text), asText, `${JSON.stringify(value)} as text`)
    t.equal(subjectOf({ sub: value }, integer), asInteger, `${JSON.stringify(value)} as a number`)
  }
})

t.test('no two values of the claim are one subject', async (t) => {
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.string(), fc.integer().map(String))
  for (const rule of [text, integer]) {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const [a, b] = [one, other].map((sub) => subjectOf({ sub }, rule))
        return a === undefined || a !== b || Object.is(one, other)
      }),
      { numRuns: 5000 },
    )
  }
  t.pass('for all that were tried')
})

t.test('dots reach into objects, and own members alone count', async (t) => {
  const rows = [
    { path: ['user', 'id'], claims: { user: { id: 'alice' } }, want: 'alice' },
    { path: ['user.id'], claims: { 'user.id': 'alice' }, want: 'alice' },
    { path: ['user', 'id'], claims: { 'user.id': 'alice' }, want: undefined },
    { path: ['user', '0'], claims: { user: ['alice'] }, want: undefined },
    { path: ['constructor', 'name'], claims: {}, want: undefined },
    { path: ['__proto__', 'id'], claims: { __proto__: { id: 'alice' } }, want: undefined },
  ]
  for (const { path, claims, want } of rows) t.equal(subjectOf(claims, { path, type: 'text' }), want, path.join('.'))
})

t.test('a number that another one becomes is not exact', async (t) => {
  const rows = [
    { json: '{"sub":7}', want: true },
    { json: '{ "sub" : 7 , "exp":1700000000 }', want: true },
    { json: '{"sub":7,"note":"7.0 and \\"7e0"}', want: true },
    { json: '{"sub":7.0}', want: false },
    { json: '{"sub":70e-1}', want: false },
    { json: '{"sub":7.00000000000000000001}', want: false },
    { json: '{"s\\u0075b":7.0}', want: false },
  ]
  for (const { json, want } of rows) t.equal(isExactNumber(json, '7'), want, json)
})
