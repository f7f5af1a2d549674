import fc from 'fast-check'
import t from 'tap'
import { fitsWildcard } from '../../../sandbox/wildcard.ts'
import { narrowToPrefix } from '../../../src/policy/language/narrow.ts'

t.test('the texts of a pattern that start with a prefix', async (t) => {
  const rows: { pattern: string; prefix: string; want: string[] }[] = [
    { pattern: 'b/u/*', prefix: 'b/u/x/', want: ['b/u/x/*'] },
    { pattern: 'b/u/*', prefix: 'b/u/', want: ['b/u/*'] },
    { pattern: 'b/u/x/*', prefix: 'b/u/', want: ['b/u/x/*'] },
    { pattern: 'b/u/x', prefix: 'b/u/x', want: ['b/u/x'] },
    { pattern: 'b/u/x.jpg', prefix: 'b/u/x', want: ['b/u/x.jpg'] },
    { pattern: 'b/u/x', prefix: 'b/u/x/', want: [] },
    { pattern: 'b/v/*', prefix: 'b/u/', want: [] },
    { pattern: 'b', prefix: 'b/u/', want: [] },
    { pattern: 'b*', prefix: 'b/u/', want: ['b/u/*'] },
    { pattern: '*', prefix: 'b/u/', want: ['b/u/*'] },
    { pattern: 'b/*/a', prefix: 'b/u/', want: ['b/u/*/a', 'b/u/a'] },
    { pattern: 'b/*/a/*', prefix: 'b/u/a/x', want: ['b/u/a/x*'] },
    { pattern: '*aab', prefix: 'aa', want: ['aa*aab', 'aaab', 'aab'] },
  ]
  for (const { pattern, prefix, want } of rows) {
    t.test(`${pattern} under ${prefix}`, async (t) => t.same(narrowToPrefix(pattern, prefix).sort(), [...want].sort()))
  }
})

t.test('they are exactly those that match and start so', async (t) => {
  const letters = (alphabet: string, maxLength: number) =>
    fc.array(fc.constantFrom(...alphabet), { maxLength }).map((all) => all.join(''))
  const seen = { in: 0, out: 0 }
  fc.assert(
    fc.property(letters('ab**/', 7), letters('ab/', 4), letters('ab/', 6), (pattern, prefix, rest) => {
      for (const text of [rest, prefix + rest]) {
        const want = fitsWildcard(pattern, text) && text.startsWith(prefix)
        seen[want ? 'in' : 'out']++
        if (narrowToPrefix(pattern, prefix).some((one) => fitsWildcard(one, text)) !== want) return false
      }
      return true
    }),
    { numRuns: 20_000 },
  )
  t.ok(seen.in > 500 && seen.out > 500, JSON.stringify(seen))
})

t.test('a long pattern and a long prefix take little time and give few patterns', async (t) => {
  const few = narrowToPrefix(`${'*a'.repeat(1000)}b`, 'a'.repeat(1024))
  t.ok(few.length <= 3, `${few.length}`)
})
