import { readFileSync } from 'node:fs'
import t from 'tap'
import { run } from '../helpers/cli.ts'
import { fencedBlocks } from '../helpers/markdown.ts'

const blocks = fencedBlocks(readFileSync('docs/iam.md', 'utf8'))
const shell = blocks.find(({ language }) => language === 'sh')?.text ?? ''
const env = Object.fromEntries(
  [...shell.matchAll(/\b([A-Z][A-Z_]+)=(\S+)/gu)].map(([, name = '', value = '']) => [name, value]),
)

for (const { document, under, more = [] } of [
  { document: 'role', under: 'the-permissions-of-the-role' },
  { document: 'trust', under: 'the-trust-of-the-role', more: ['--user', 'test-iam'] },
  { document: 'user', under: 'the-permissions-of-the-sub-user' },
]) {
  t.test(`docs/iam.md shows the document ${document} as the command prints it`, async (t) => {
    const { exitCode, out } = await run(['iam', '--document', document, '--dir', 'policies', ...more], { env })
    t.equal(exitCode, 0)
    t.equal(blocks.find((block) => block.language === 'json' && block.under === under)?.text, out)
  })
}

t.test('the commands of docs/iam.md work', async (t) => {
  const commands = shell.split('\n').filter((line) => line.startsWith('oss-vend '))
  t.equal(commands.length, 3)
  for (const command of commands) {
    const [words = ''] = command.split(/\s+[#>]/u)
    t.equal((await run(words.split(' ').slice(1), { env })).exitCode, 0, words)
  }
})
