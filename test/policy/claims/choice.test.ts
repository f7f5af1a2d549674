import t from 'tap'
import { choicesIn } from '../../../src/policy/claims/choice.ts'
import { claimsSchema, failureOf } from '../../../src/policy/claims/condition.ts'

t.test('a caller may choose what anyOf finds in the claim', async (t) => {
  const rows: { name: string; value: unknown; want: string[] }[] = [
    { name: 'a list', value: ['acme', 'globex'], want: ['acme', 'globex'] },
    { name: 'a list with one item twice', value: ['acme', 'acme'], want: ['acme'] },
    { name: 'one text', value: 'acme', want: ['acme'] },
    { name: 'words', value: 'acme globex', want: ['acme', 'globex'] },
    { name: 'words with more space', value: ' acme  globex ', want: ['acme', 'globex'] },
    { name: 'an item with a space is not split', value: ['acme globex'], want: [] },
    { name: 'numbers', value: [17, 2 ** 53, 1.5], want: ['17'] },
    { name: 'a number', value: 17, want: ['17'] },
    { name: 'an empty list', value: [], want: [] },
    { name: 'an empty text', value: '', want: [] },
    { name: 'missing', value: undefined, want: [] },
    { name: 'null', value: null, want: [] },
    { name: 'true', value: true, want: [] },
    { name: 'an object', value: { acme: {} }, want: [] },
    { name: 'objects in a list', value: [{ id: 'acme' }, ['acme'], null, true], want: [] },
    { name: 'items that must not enter a policy', value: ['*', 'a/b', '..', '', 'a*', '\ud800', 'ok'], want: ['ok'] },
    { name: 'a wildcard', value: '*', want: [] },
    { name: 'a wildcard among words', value: 'acme *', want: ['acme'] },
  ]
  for (const { name, value, want } of rows) {
    t.test(name, async (t) => {
      t.strictSame(choicesIn(value), want)
      for (const choice of want) {
        const wanted =
          typeof value === 'number' || (Array.isArray(value) && !value.includes(choice)) ? Number(choice) : choice
        const [condition] = claimsSchema.parse({ c: { anyOf: wanted } })
        t.equal(condition && failureOf(condition, { c: value }, 0), undefined, `anyOf finds ${choice}`)
      }
    })
  }
})
