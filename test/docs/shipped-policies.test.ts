import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'

const schema = z.object({ allow: z.object({ claims: z.object({ scope: z.array(z.string()) }) }) })

t.test('README names each shipped policy with the scope that it demands', async (t) => {
  const readme = readFileSync('README.md', 'utf8')
  const rows = [...readme.matchAll(/^\| \[`[\w-]+`\]\(policies\/([\w-]+)\.yaml\) \| `([\w.]+)` \|/gmu)]
  const shipped = readdirSync('policies').map((file) => {
    const { allow } = schema.parse(parse(readFileSync(`policies/${file}`, 'utf8')))
    return [file.replace('.yaml', ''), allow.claims.scope.join(' ')]
  })
  t.strictSame(rows.map(([, name, scope]) => [name, scope]).sort(), shipped.sort())
})
