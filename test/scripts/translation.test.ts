import t from 'tap'
import { sections, stale, withMarks } from '../../scripts/translation.ts'

const original = `# Title

\`\`\`sh
npm ci # a comment
# no heading
\`\`\`

## Error codes

Read the answer.

### More

One sentence.
`
const translation = `# 标题

\`\`\`sh
npm ci # a comment
# no heading
\`\`\`

## 错误码

请看返回结果。

### 更多

一句话。
`

t.test('sections are found, and code has no headings', async (t) => {
  t.strictSame(
    sections(original).map(({ level, title }) => ({ level, title })),
    [
      { level: 1, title: 'Title' },
      { level: 2, title: 'Error codes' },
      { level: 3, title: 'More' },
    ],
  )
  t.equal(
    sections(original)
      .map(({ text }) => text)
      .join(''),
    original,
  )
})

t.test('a translation is marked as old', async (t) => {
  const marked = withMarks(original, translation)
  const swapped = marked.replace(/(<!--[^\n]*\n)(.*?)(<!--[^\n]*\n)/su, '$3$2$1')
  const titles = (english: string, chinese: string) => stale(english, chinese).map(({ original }) => original.title)
  const cases = [
    { name: 'never after it was marked', english: original, chinese: marked, want: [] },
    { name: 'until it was marked', english: original, chinese: translation, want: ['Title', 'Error codes', 'More'] },
    {
      name: 'when a sentence changes',
      english: original.replace('Read the', 'See the'),
      chinese: marked,
      want: ['Error codes'],
    },
    {
      name: 'when a heading changes',
      english: original.replace('### More', '### Most'),
      chinese: marked,
      want: ['Most'],
    },
    { name: 'when code changes', english: original.replace('npm ci', 'npm i'), chinese: marked, want: ['Title'] },
    { name: 'when a mark is missing', english: original, chinese: marked.replace(/<!--.*\n/u, ''), want: ['Title'] },
    {
      name: 'when a mark is there twice',
      english: original,
      chinese: marked.replace(/<!--.*\n/u, '$&$&'),
      want: ['Title'],
    },
    { name: 'when a mark is of another section', english: original, chinese: swapped, want: ['Title', 'Error codes'] },
  ]
  for (const { name, english, chinese, want } of cases) {
    t.test(name, async (t) => {
      t.strictSame(titles(english, chinese), want)
      t.strictSame(titles(english, withMarks(english, chinese)), [], '`npm run readme` writes the marks')
    })
  }
  t.equal(withMarks(original, marked), marked, 'marks are written once')
  t.equal(marked.replace(/<!--.*\n/gu, ''), translation, 'only marks are written')
  t.throws(() => withMarks(`${original}\n## New\n`, marked), { message: /has 4 headings, the translation 3/u })
})
