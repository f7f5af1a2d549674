import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Section, sections, stale } from '../../scripts/translation.ts'
import { headings, links } from '../helpers/markdown.ts'

const english = readFileSync('README.md', 'utf8')
const chinese = readFileSync('README.zh-CN.md', 'utf8')

const BLOCK = /^```.*?^```$/gmsu
const CODE = /`[^`\n]+`/gu

const prose = ({ text }: Section) => text.replace(BLOCK, '')
const linesOf = (section: Section, line: RegExp) => prose(section).match(line) ?? []

/** Where each link goes. An anchor within the page becomes the number of its heading: its words are translated. */
const targets = (markdown: string, anchors: readonly string[]) =>
  links(markdown).map(({ target }) => {
    if (/^README(?:\.zh-CN)?\.md$/u.test(target)) return 'the other language'
    return target.startsWith('#') ? `heading ${anchors.indexOf(decodeURIComponent(target.slice(1)))}` : target
  })

/** The rows of all tables. Of the first cell, code and links must be the same; its words are translated. */
const rows = (section: Section, anchors: readonly string[]) =>
  linesOf(section, /^\|.*$/gmu).map((row) => {
    const cells = row.split(/(?<!\\)\|/u).slice(1, -1)
    const [first = ''] = cells
    return { cells: cells.length, code: first.match(CODE) ?? [], targets: targets(first, anchors) }
  })

/** The lines that both pages share and that have words beside code and links: nobody translated them. */
const untranslated = (section: Section, other: Section) => {
  const theirs = new Set(prose(other).split('\n'))
  const words = (line: string) => line.replace(CODE, '').replace(/\[[^\]]*\]\([^)]*\)/gu, '')
  return prose(section)
    .split('\n')
    .filter((line) => theirs.has(line) && /[a-z]{2,} [a-z]{2,}/iu.test(words(line)))
}

/** What must be the same in each section of both pages. */
const aspects: Record<string, (section: Section, anchors: readonly string[]) => unknown> = {
  level: ({ level }) => level,
  'code blocks': ({ text }) => text.match(BLOCK) ?? [],
  tables: rows,
  links: (section, anchors) => targets(prose(section), anchors),
  'list items': (section) => linesOf(section, /^ *(?:[-*]|\d+\.) /gmu),
  'inline code': (section) => linesOf(section, CODE).toSorted(),
}

/** The aspects in which two pages differ, with both sides of each. */
function differences(original: string, translation: string) {
  const [anchors, theirAnchors] = [translation, original].map((page) => headings(page).map(({ anchor }) => anchor))
  const theirs = sections(original)
  const ours = sections(translation)
  const found = ours.flatMap((section, at) => {
    const other = theirs[at]
    if (other === undefined) return []
    const both = Object.entries(aspects).map(([aspect, of]) => ({
      where: `${section.title}: ${aspect}`,
      found: of(section, anchors ?? []),
      wanted: of(other, theirAnchors ?? []),
    }))
    return [...both, { where: `${section.title}: untranslated`, found: untranslated(section, other), wanted: [] }]
  })
  const count = { where: 'headings', found: ours.length, wanted: theirs.length }
  return [count, ...found].filter(({ found, wanted }) => JSON.stringify(found) !== JSON.stringify(wanted))
}

t.test('README.zh-CN.md has the structure of README.md', async (t) => {
  t.strictSame(differences(english, chinese), [])
})

t.test('README.zh-CN.md translates the README.md of today', async (t) => {
  const old = stale(english, chinese).map(({ original, translation }) => `${original.title} → ${translation.title}`)
  t.strictSame(old, [], 'compare these sections, correct the translation, then run `npm run readme`')
})

t.test('each README links to the other one below its title', async (t) => {
  t.strictSame(links(sections(english)[0]?.text ?? '')[0], { text: '简体中文', target: 'README.zh-CN.md' })
  t.strictSame(links(sections(chinese)[0]?.text ?? '')[0], { text: 'English', target: 'README.md' })
})

const original = `# Title

[中文](README.zh-CN.md), [errors](#error-codes), \`npm\`

\`\`\`sh
npm ci # a comment
# no heading
\`\`\`

- one item
- two of them

## Error codes

| code | what to do |
| --- | --- |
| \`a\\|b\` | read the [docs](docs/a.md) |
| [a word](docs/b.md) | wait for \`Retry-After\` |

### More

1. the first step
`
const translation = `# 标题

[English](README.md)、[错误码](#错误码)、\`npm\`

\`\`\`sh
npm ci # a comment
# no heading
\`\`\`

- 第一项
- 第二项

## 错误码

| 错误码 | 处理办法 |
| --- | --- |
| \`a\\|b\` | 阅读[文档](docs/a.md) |
| [词](docs/b.md) | 按 \`Retry-After\` 等待 |

### 更多

1. 第一步
`

t.test('a translation', async (t) => {
  const cases = [
    { name: 'with nothing wrong', from: '', to: '', want: [] },
    { name: 'without a heading', from: '### 更多\n\n1. 第一步\n', to: '', want: ['headings'] },
    { name: 'with a heading too many', from: '1. 第一步\n', to: '1. 第一步\n\n## 附录\n', want: ['headings'] },
    { name: 'with a heading of another level', from: '### 更多', to: '## 更多', want: ['更多: level'] },
    { name: 'with a comment in a block translated', from: '# a comment', to: '# 注释', want: ['标题: code blocks'] },
    { name: 'with another language of a block', from: '```sh', to: '```bash', want: ['标题: code blocks'] },
    { name: 'with a line at the end of a block', from: 'heading\n`', to: 'heading\n\n`', want: ['标题: code blocks'] },
    {
      name: 'without a row of code',
      from: /\| `a.*\n/u,
      to: '',
      want: ['错误码: tables', '错误码: links', '错误码: inline code'],
    },
    { name: 'with a cell too many', from: '等待 |', to: '等待 | 重试 |', want: ['错误码: tables'] },
    {
      name: 'with a link in another cell',
      from: '[词](docs/b.md) | 按',
      to: '词 | [按](docs/b.md)',
      want: ['错误码: tables'],
    },
    {
      name: 'with other code in a first cell',
      from: 'a\\|b',
      to: 'a\\|c',
      want: ['错误码: tables', '错误码: inline code'],
    },
    {
      name: 'with rows in another order',
      from: /(\| `a.*\n)(.*\n)/u,
      to: '$2$1',
      want: ['错误码: tables', '错误码: links'],
    },
    { name: 'with another link', from: 'docs/a.md', to: 'docs/c.md', want: ['错误码: links'] },
    { name: 'without a link', from: '[文档](docs/a.md)', to: '文档', want: ['错误码: links'] },
    { name: 'with an anchor of another heading', from: '(#错误码)', to: '(#更多)', want: ['标题: links'] },
    { name: 'with an anchor of no heading', from: '(#错误码)', to: '(#error-codes)', want: ['标题: links'] },
    { name: 'without a list item', from: '- 第二项\n', to: '', want: ['标题: list items'] },
    { name: 'with a list of another kind', from: '1. 第一步', to: '- 第一步', want: ['更多: list items'] },
    { name: 'with a list item further in', from: '- 第二项', to: '  - 第二项', want: ['标题: list items'] },
    { name: 'with code translated', from: '`npm`', to: '`纳米`', want: ['标题: inline code'] },
    { name: 'with a line that stayed English', from: '- 第二项', to: '- two of them', want: ['标题: untranslated'] },
  ]
  for (const { name, from, to, want } of cases) {
    t.test(name, async (t) => {
      const changed = translation.replace(from, to)
      t.equal(changed === translation, want.length === 0, 'the case changes the page')
      t.strictSame(
        differences(original, changed).map(({ where }) => where),
        want,
      )
    })
  }
})
