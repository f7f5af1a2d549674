import fc from 'fast-check'
import t from 'tap'
import { matchesWildcard } from '../../../src/policy/language/wildcard.ts'

/** The definition, by dynamic programming: `reach[j]` tells whether the pattern so far matches the first j characters. */
function byDefinition(pattern: string, text: string): boolean {
  let reach = Array.from({ length: text.length + 1 }, (_, j) => j === 0)
  for (const symbol of pattern.split('')) {
    reach = reach.map((_, j) =>
      symbol === '*' ? reach.slice(0, j + 1).includes(true) : j > 0 && reach[j - 1] === true && text[j - 1] === symbol,
    )
  }
  return reach[text.length] === true
}

t.test('patterns and texts', async (t) => {
  const rows = [
    { pattern: '', text: '', want: true },
    { pattern: '', text: 'a', want: false },
    { pattern: '*', text: '', want: true },
    { pattern: '*', text: 'a/b', want: true },
    { pattern: 'a', text: '', want: false },
    { pattern: 'a/*', text: 'a/', want: true },
    { pattern: 'a/*', text: 'a', want: false },
    { pattern: 'a/*', text: 'ab/c', want: false },
    { pattern: 'a/*', text: 'b/a/c', want: false },
    { pattern: '*/c', text: 'a/b/c', want: true },
    { pattern: '*/c', text: 'a/b/c/d', want: false },
    { pattern: 'a*a', text: 'a', want: false },
    { pattern: 'a*b*c', text: 'abbcbc', want: true },
    { pattern: '**', text: 'a', want: true },
    { pattern: 'a?', text: 'ab', want: false },
    { pattern: 'a?', text: 'a?', want: true },
    { pattern: 'a.c', text: 'abc', want: false },
    { pattern: '\\*', text: '*', want: false },
    { pattern: '\\*', text: '\\x', want: true },
    { pattern: '[a]', text: 'a', want: false },
    { pattern: 'A', text: 'a', want: false },
    { pattern: 'é', text: 'e\u0301', want: false },
    { pattern: '*\n*', text: 'a\nb', want: true },
    { pattern: '*', text: '\ud800', want: true },
  ]
  for (const { pattern, text, want } of rows) {
    t.test(`${JSON.stringify(pattern)} on ${JSON.stringify(text)}`, async (t) =>
      t.equal(matchesWildcard(pattern, text), want),
    )
  }
})

t.test('matchesWildcard agrees with the definition', async (t) => {
  const over = (alphabet: string[]) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 })
  let matches = 0
  fc.assert(
    fc.property(over(['a', 'b', '*', '*']), over(['a', 'b']), (pattern, text) => {
      const want = byDefinition(pattern, text)
      if (want) matches++
      return matchesWildcard(pattern, text) === want
    }),
    { numRuns: 20_000 },
  )
  t.ok(matches > 1000, 'many pairs match')
  fc.assert(
    fc.property(
      over(['a', 'b', '*', '?', '/', '\\', '.']),
      over(['a', 'b', '*', '?', '/', '\\', '.']),
      (pattern, text) => t.equal(matchesWildcard(pattern, text), byDefinition(pattern, text)),
    ),
  )
})

// A matcher that tries every split would not come to an end within the age of the universe.
t.test('a hostile pattern and key cost little time', async (t) => {
  const rows = [
    { name: 'a*a*a*…b', pattern: `${'a*'.repeat(1000)}b`, text: 'a'.repeat(1024), want: false },
    { name: 'a*a*a*…b, longer', pattern: `${'a*'.repeat(100)}b`, text: 'a'.repeat(200_000), want: false },
    { name: 'stars', pattern: `${'*'.repeat(2000)}b`, text: 'a'.repeat(100_000), want: false },
    { name: '*ab*ab*…c', pattern: `${'*ab'.repeat(500)}c`, text: 'ab'.repeat(10_000), want: false },
    { name: 'one that matches', pattern: `${'*ab'.repeat(500)}*`, text: 'ab'.repeat(10_000), want: true },
  ]
  for (const { name, pattern, text, want } of rows) {
    t.test(name, async (t) => t.equal(matchesWildcard(pattern, text), want))
  }
})
