import t from 'tap'
import { BUCKET, below, errorsOf, type Parts, personal, READ, text, WRITE } from './open-templates.ts'

t.test('the template with the folder for everybody accepts, and no other', async (t) => {
  const accept = { 'shared-and-personal': 'operators read what users uploaded' }
  const operators = (more: Parts) => text(READ, below('users/*'), more)
  const rich = text(WRITE, below('users/${jwt:sub}/*'), { accept })
  for (const [operator, owner] of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    const set = (one: string, other: string) => ({ [`${operator}.json`]: one, [`${owner}.json`]: other })
    t.strictSame(await errorsOf(t, set(operators({ accept }), personal)), [])
    t.strictSame(await errorsOf(t, set(operators({}), rich)), [`${operator}: shared-and-personal`])
    // One that accepts does not hide the next.
    const files = { ...set(operators({ accept }), personal), 'c.json': text(READ, below('users/a/*')) }
    t.strictSame(await errorsOf(t, files), ['c: shared-and-personal'])
  }
})

t.test('an acceptance that cannot count', async (t) => {
  const sound = (accept: unknown) => ({ 'it.json': text(WRITE, below('users/${jwt:sub}/*'), { accept }) })
  const list = (accept: unknown) => ({ 'it.json': text('oss:ListBucket', BUCKET, { accept }) })
  const bad: { name: string; files: Record<string, string>; want: string[] }[] = [
    {
      name: 'of a rule that is not there',
      files: sound({ 'list-buckets': 'operators list' }),
      want: ['unknown-acceptance'],
    },
    {
      name: 'in capitals',
      files: list({ 'LIST-BUCKET': 'operators list' }),
      want: ['list-bucket', 'unknown-acceptance'],
    },
    {
      name: 'of all rules',
      files: list({ '*': 'operators may do it all' }),
      want: ['list-bucket', 'unknown-acceptance'],
    },
    {
      name: 'of a name that every object has',
      files: sound({ constructor: 'operators list' }),
      want: ['unknown-acceptance'],
    },
    { name: 'of a warning', files: sound({ 'no-abort': 'we like parts' }), want: ['unknown-acceptance'] },
    { name: 'of itself', files: sound({ 'unknown-acceptance': 'we like it so' }), want: ['unknown-acceptance'] },
    { name: 'of example-fails', files: sound({ 'example-fails': 'we like it so' }), want: ['unknown-acceptance'] },
    { name: 'without a reason', files: list({ 'list-bucket': '' }), want: ['schema'] },
    { name: 'with blanks', files: list({ 'list-bucket': ' '.repeat(20) }), want: ['schema'] },
    { name: 'with a dot or two', files: list({ 'list-bucket': '.'.repeat(20) }), want: ['schema'] },
    { name: 'with a word', files: list({ 'list-bucket': 'ok' }), want: ['schema'] },
    { name: 'with a novel', files: list({ 'list-bucket': 'operators '.repeat(21) }), want: ['schema'] },
    { name: 'with a line end', files: list({ 'list-bucket': 'operators\nlist it all' }), want: ['schema'] },
    { name: 'with a terminal sequence', files: list({ 'list-bucket': 'operators \u001b[2K list' }), want: ['schema'] },
    { name: 'with text turned around', files: list({ 'list-bucket': 'operators \u202e list it' }), want: ['schema'] },
    { name: 'true', files: list({ 'list-bucket': true }), want: ['schema'] },
    { name: 'a list', files: list(['list-bucket']), want: ['schema'] },
    { name: 'a text', files: list('list-bucket'), want: ['schema'] },
    { name: 'null', files: list(null), want: ['schema'] },
  ]
  for (const { name, files, want } of bad) {
    t.test(name, async (t) =>
      t.strictSame(
        await errorsOf(t, files),
        want.map((rule) => `it: ${rule}`),
      ),
    )
  }
})
