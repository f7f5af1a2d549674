import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { headings, links } from '../helpers/markdown.ts'

const pages = [
  'README.md',
  'README.zh-CN.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'examples/README.md',
  'deploy/README.md',
  ...readdirSync('docs').flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : [])),
]

t.test('links are found, and code has no headings', async (t) => {
  const markdown =
    '# A `b-c`: d!\n\n[x](y.md#z) and `[no](link)`\n\n```sh\n# no heading\n[no](link)\n```\n\n## E\n\n## 错误码（`code`）：含义、处理\n'
  t.strictSame(links(markdown), [{ text: 'x', target: 'y.md#z' }])
  t.strictSame(
    headings(markdown).map(({ anchor }) => anchor),
    ['a-b-c-d', 'e', '错误码code含义处理'],
  )
})

for (const page of pages) {
  t.test(page, async (t) => {
    const markdown = readFileSync(page, 'utf8')
    const anchors = headings(markdown).map(({ anchor }) => anchor)
    t.strictSame(
      anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index),
      [],
      'no two headings have the same anchor',
    )
    for (const { target } of links(markdown)) {
      if (/^https?:/u.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      t.ok(existsSync(file), `${target}: the file exists`)
      if (anchor === undefined || !existsSync(file)) continue
      const there = headings(readFileSync(file, 'utf8')).some((heading) => heading.anchor === anchor)
      t.ok(there, `${target}: the heading exists`)
    }
  })
}

t.test('README links to the page about policies', async (t) => {
  t.ok(links(readFileSync('README.md', 'utf8')).some(({ target }) => target === 'docs/policies.md'))
})
