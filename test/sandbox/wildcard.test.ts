import fc from 'fast-check'
import t from 'tap'
import { fitsWildcard } from '../../sandbox/wildcard.ts'

t.test('only a star is special, and it matches any text', async (t) => {
  const rows = [
    { pattern: '', fits: [''], not: ['a', '*'] },
    { pattern: 'a', fits: ['a'], not: ['', 'A', 'aa', 'a '] },
    { pattern: '*', fits: ['', 'a', 'a/b', '\n', '桶', '*'], not: [] },
    { pattern: 'a*', fits: ['a', 'ab', 'a/b/c', 'a\nb'], not: ['', 'ba', 'A'] },
    { pattern: '*a', fits: ['a', 'ba', 'aa'], not: ['', 'ab'] },
    { pattern: 'a*a', fits: ['aa', 'aba', 'aaa'], not: ['a', 'ab', 'ba'] },
    { pattern: 'ab*ba', fits: ['abba', 'abxba'], not: ['aba'] },
    { pattern: '*ab*ab', fits: ['abab', 'xabxab', 'ababab'], not: ['ab', 'aab'] },
    { pattern: 'a*b*c', fits: ['abc', 'a1b2b3c', 'abcbc'], not: ['acb', 'ab', 'ac'] },
    { pattern: 'a**b', fits: ['ab', 'axb'], not: ['a', 'b'] },
    { pattern: 'a?', fits: ['a?'], not: ['ab'] },
    { pattern: 'a.b', fits: ['a.b'], not: ['axb'] },
    { pattern: '[ab]', fits: ['[ab]'], not: ['a'] },
    { pattern: '\\*', fits: ['\\', '\\x'], not: ['*', 'x'] },
    { pattern: '${*}', fits: ['${a}', '${}'], not: ['a'] },
    { pattern: 'e\u0301*', fits: ['e\u0301'], not: ['\u00e9'] },
    { pattern: '🗂*', fits: ['🗂', '🗂a'], not: ['🗃'] },
  ]
  for (const { pattern, fits, not } of rows) {
    t.test(JSON.stringify(pattern), async (t) => {
      for (const text of fits) t.ok(fitsWildcard(pattern, text), `fits ${JSON.stringify(text)}`)
      for (const text of not) t.notOk(fitsWildcard(pattern, text), `does not fit ${JSON.stringify(text)}`)
    })
  }
})

t.test('a pattern matches the same texts as its regular expression', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 9 })
  fc.assert(
    fc.property(text, text, (pattern, subject) => {
      const escaped = pattern.split('*').map((piece) => piece.replace(/\W/gu, '\\$&'))
      return fitsWildcard(pattern, subject) === new RegExp(`^${escaped.join('.*')}$`, 'u').test(subject)
    }),
    { numRuns: 5000 },
  )
  t.pass('for 5000 pairs')
})
