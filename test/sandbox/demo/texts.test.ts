import { readFileSync } from 'node:fs'
import t from 'tap'
import { explain } from '../../../sandbox/demo/page/explain.ts'
import { Failure } from '../../../sandbox/demo/page/failure.ts'
import { createLanguage, firstLanguage } from '../../../sandbox/demo/page/language.ts'
import { en } from '../../../sandbox/demo/page/texts/en.ts'
import { zh } from '../../../sandbox/demo/page/texts/zh.ts'

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/gu))].sort()
const english: Readonly<Record<string, string>> = en
const chinese: Readonly<Record<string, string>> = zh

t.test('both languages say the same things with the same values', async (t) => {
  t.strictSame(Object.keys(chinese), Object.keys(english))
  for (const [word, text] of Object.entries(english)) {
    t.strictSame(placeholders(chinese[word] ?? ''), placeholders(text), word)
  }
})

t.test('the page holds the English texts until its script runs', async (t) => {
  const page = readFileSync('sandbox/demo/page/index.html', 'utf8')
  const texts = [...page.matchAll(/data-say="(\w+)"[^>]*>([^<]*)</gu)]
  t.ok(texts.length > 40)
  for (const [, word = '', text] of texts) t.equal(text?.replaceAll('&amp;', '&'), english[word], word)
})

t.test('the first language is the remembered one, or else the first known one that the browser prefers', async (t) => {
  const rows = [
    { remembered: null, preferred: ['zh-TW', 'en'], want: 'zh-CN' },
    { remembered: null, preferred: ['fr', 'en-US', 'zh'], want: 'en' },
    { remembered: null, preferred: ['fr'], want: 'en' },
    { remembered: 'en', preferred: ['zh'], want: 'en' },
    { remembered: 'toString', preferred: ['zh'], want: 'zh-CN' },
  ]
  for (const { remembered, preferred, want } of rows) t.equal(firstLanguage(remembered, preferred), want)
})

t.test('no explanation shows a placeholder, and values are not filled in twice', async (t) => {
  for (const name of ['en', 'zh-CN'] as const) {
    const language = createLanguage(name)
    for (const by of ['service', 'store'] as const) {
      for (const code of ['unreachable', 'rate_limited', 'AccessDenied', 'NoSuchUpload', 'anything']) {
        const { why, todo } = explain(language, new Failure(by, code, { retryAfter: '7' }))
        t.notMatch(why + todo, /[{}]|undefined/u, `${name} ${by} ${code}`)
      }
    }
    t.match(language.say('whyMissing', { key: '{name}', name: 'x' }), '{name}')
  }
})
