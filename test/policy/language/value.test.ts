import fc from 'fast-check'
import t from 'tap'
import { policyValue } from '../../../src/policy/language/value.ts'

/** A name that the test's own output can bear. */
const codePoints = (text: string) =>
  ['U+', ...[...text].map((c) => `${c.codePointAt(0)?.toString(16)} `)].join('').trim()

t.test('values that may enter a policy', async (t) => {
  const rows: { name: string; input: unknown; want: string }[] = [
    ...[
      'alice',
      'A-Z_0.9~',
      'a@b.test',
      '+=,|',
      '...',
      '.a',
      'a.',
      '-',
      '=',
      '~',
      '..a',
      '李雷',
      'Ünal',
      'Ωμέγα',
      '٣٤',
      '名前123',
    ].map((input) => ({ name: input, input, want: input })),
    { name: 'letters beyond the first plane', input: '𠮷野', want: '𠮷野' },
    { name: 'NFC', input: 'caf\u00e9', want: 'caf\u00e9' },
    { name: '128 characters', input: 'a'.repeat(128), want: 'a'.repeat(128) },
    { name: '128 characters of two code units', input: '𠮷'.repeat(128), want: '𠮷'.repeat(128) },
    { name: 'an integer', input: 42, want: '42' },
    { name: 'zero', input: 0, want: '0' },
    { name: 'minus zero', input: -0, want: '0' },
    { name: 'a negative integer', input: -7, want: '-7' },
    { name: 'the largest integer', input: Number.MAX_SAFE_INTEGER, want: '9007199254740991' },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      t.equal(policyValue(input), want)
      t.equal(policyValue(input, 'path'), want, 'as a path too')
    })
  }
})

t.test('values that may not', async (t) => {
  const rows: { name: string; input: unknown }[] = [
    ...[
      '',
      '.',
      '..',
      '*',
      'a*',
      '?',
      '$',
      '${jwt:sub}',
      '{',
      '}',
      ':',
      'a:b',
      '"',
      "'",
      '\\',
      '%2f',
      '%',
      '#',
      '&',
      ';',
    ].map((input) => ({ name: codePoints(input), input })),
    ...[
      ' ',
      'a b',
      'a\tb',
      'a\n',
      '\r',
      '\0',
      'a\0',
      '\u007f',
      '\u0085',
      '\u00a0',
      '\u2028',
      '\u3000',
      '<',
      '>',
      '(',
      '!',
      '`',
    ].map((input) => ({ name: codePoints(input), input })),
    { name: 'decomposed', input: 'cafe\u0301' },
    { name: 'a singleton that NFC replaces', input: '\u212b' },
    { name: 'Hangul in parts', input: '\u1112\u1161\u11ab' },
    { name: 'a combining mark alone', input: '\u0301' },
    { name: 'right-to-left override', input: 'a\u202eb' },
    { name: 'zero-width joiner', input: 'a\u200db' },
    { name: 'zero-width space', input: 'a\u200bb' },
    { name: 'soft hyphen', input: 'a\u00adb' },
    { name: 'BOM', input: '\ufeffa' },
    { name: 'full-width asterisk', input: '\uff0a' },
    { name: 'full-width slash', input: 'a\uff0fb' },
    { name: 'full-width full stop', input: '\uff0e' },
    { name: 'one dot leader', input: '\u2024' },
    { name: 'division slash', input: 'a\u2215b' },
    { name: 'fraction', input: '½' },
    { name: 'emoji', input: '🙂' },
    { name: 'tag character', input: 'a\u{e0041}' },
    { name: 'private use', input: '\ue000' },
    { name: 'unassigned', input: '\u0378' },
    { name: 'half a surrogate pair', input: '\ud842' },
    { name: 'the other half', input: 'a\udfb7' },
    { name: '129 characters', input: 'a'.repeat(129) },
    { name: '129 characters of two code units', input: '𠮷'.repeat(129) },
    { name: 'a million characters', input: 'a'.repeat(1_000_000) },
    { name: 'a fraction', input: 1.5 },
    { name: 'an unsafe integer', input: 2 ** 53 },
    { name: 'NaN', input: Number.NaN },
    { name: 'infinity', input: Number.POSITIVE_INFINITY },
    { name: 'true', input: true },
    { name: 'null', input: null },
    { name: 'undefined', input: undefined },
    { name: 'a list', input: ['alice'] },
    { name: 'an object', input: { toString: () => 'alice' } },
    { name: 'a boxed string', input: Object('alice') },
    { name: 'a bigint', input: 1n },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      t.equal(policyValue(input), undefined)
      t.equal(policyValue(input, 'path'), undefined, 'nor as a path')
      if (typeof input === 'string') t.equal(policyValue(`a/${input}`, 'path'), undefined, 'nor in one')
    })
  }
})

t.test('paths', async (t) => {
  const rows = [
    { input: 'a/b', want: 'a/b' },
    { input: 'a.b/..c/d', want: 'a.b/..c/d' },
    { input: Array(16).fill('a').join('/'), want: Array(16).fill('a').join('/') },
    { input: Array(17).fill('a').join('/'), want: undefined },
    { input: `${'a'.repeat(128)}/${'b'.repeat(128)}`, want: `${'a'.repeat(128)}/${'b'.repeat(128)}` },
    { input: `${'a'.repeat(129)}/b`, want: undefined },
    { input: '/', want: undefined },
    { input: '/a', want: undefined },
    { input: 'a/', want: undefined },
    { input: 'a//b', want: undefined },
    { input: 'a/./b', want: undefined },
    { input: 'a/../b', want: undefined },
    { input: '../a', want: undefined },
    { input: 'a\\b', want: undefined },
  ]
  for (const { input, want } of rows) {
    t.test(input.slice(0, 40), async (t) => {
      t.equal(policyValue(input, 'path'), want)
      t.equal(policyValue(input), undefined, 'never as a segment')
    })
  }
})

t.test('an accepted value never has a meaning in a policy', async (t) => {
  const character = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...'ab1-_.~@+=,|*/${}:?"\\ \0\n\u0301\u202e\ud800\udc00') },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.constantFrom('李', 'é', 'e\u0301', '𠮷', '٣', '\u212b', '\ud842', '\uff0a') },
  )
  const meaning = /[*?$\\{}:"'<>%#&;!()[\]^`\s\p{C}\p{M}\p{Z}]/u
  let accepted = 0
  fc.assert(
    fc.property(fc.array(character, { maxLength: 6 }), fc.constantFrom('segment', 'path'), (characters, kind) => {
      const input = characters.join('')
      const value = policyValue(input, kind)
      if (value === undefined) return true
      accepted++
      const steps = kind === 'path' ? value.split('/') : [value]
      return (
        value === input &&
        !meaning.test(value) &&
        value.normalize('NFC') === value &&
        steps.every((step) => !step.includes('/') && !['', '.', '..'].includes(step))
      )
    }),
    { numRuns: 5000 },
  )
  t.ok(accepted > 300, 'many values are accepted')
})

t.test('no single character of Unicode slips through', async (t) => {
  const wanted = /^(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{Nd}\-_~@+=,|]$/u
  const wrong: string[] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code)
    const want = wanted.test(character) && character.normalize('NFC') === character
    if ((policyValue(character) === character) !== want) wrong.push(code.toString(16))
  }
  t.strictSame(wrong, [])
})
