import t from 'tap'
import { encodeKey, keyFault } from '../../src/oss/object-key.ts'

t.test('texts that cannot be keys', async (t) => {
  for (const key of [
    '',
    '/a',
    '.',
    '..',
    'a/../b',
    'a/.',
    './a',
    'a\u0000',
    'a\n',
    '\u007f',
    '\ud800',
    'a\ufffe',
    '%2e%2e/a',
    'a/.%2E',
    'a/%252e%25252e/b',
    'a%2f..%2fb',
    'a/..%5c/../b',
    'é'.repeat(513),
  ]) {
    t.type(keyFault(key), 'string', JSON.stringify(key).slice(0, 40))
  }
})

t.test('texts that can', async (t) => {
  for (const key of [
    'a',
    'a/b',
    'a//b',
    'a/',
    '...',
    '.a',
    'a..b',
    '图片/é ü.png',
    '%2e%2e%2e/a',
    'a%2eb',
    '%2f',
    'a+b&c=d?e#f',
    'é'.repeat(512),
  ]) {
    t.equal(keyFault(key), undefined, key.slice(0, 40))
  }
})

t.test('a key is encoded as S3 clients do it', async (t) => {
  const rows = [
    ['a b', 'a%20b'],
    ['a+b', 'a%2Bb'],
    ["!'()*", '%21%27%28%29%2A'],
    ['a/b//c', 'a/b//c'],
    ['~-_.', '~-_.'],
    ['图', '%E5%9B%BE'],
    ['%2e', '%252e'],
  ] as const
  for (const [key, want] of rows) t.equal(encodeKey(key), want)
})
