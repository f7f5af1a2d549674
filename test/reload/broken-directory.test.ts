import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { good, serve } from './served.ts'

t.test('a broken directory is one clear error, and the service continues', async (t) => {
  const { allow, policy } = JSON.parse(good())
  const yaml = (description: string) =>
    `${description}\nallow: ${JSON.stringify(allow)}\npolicy: ${JSON.stringify(policy)}\n`
  const evil = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`p${n}`, { pattern: '(a*)*a*a*b' }]))
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let n = 1; n < 12; n++)
    bomb.push(
      `a${n}: &a${n} [${Array(9)
        .fill(`*a${n - 1}`)
        .join(', ')}]`,
    )
  type Row = { name: string; put: (file: string) => void; want: string | RegExp; place?: RegExp }
  const text = (content: string | Buffer) => (file: string) => writeFileSync(file, content)
  const rows: Row[] = [
    { name: 'bad YAML', put: text('description: [\n  a: }\n'), want: /^\S+:\d+:\d+: error syntax: / },
    { name: 'tabs', put: text('a:\n\tb: 1\n'), want: /^\S+:2:1: error syntax: / },
    {
      name: 'a key twice',
      put: text('description: a\ndescription: b\n'),
      want: /:2:1: error syntax: Map keys must be unique/,
    },
    { name: 'aliases that multiply', put: text(bomb.join('\n')), want: /: error syntax: uses too many aliases/ },
    {
      name: 'an alias of itself',
      put: text(yaml('description: &a [*a]')),
      want: /:1:18: error syntax: \*a refers to itself/,
    },
    { name: 'an alias of nothing', put: text('a: *b\n'), want: /:1:4: error syntax: no anchor &b stands before it/ },
    { name: '5 MB', put: text(`# ${'x'.repeat(5 * 1024 * 1024)}`), want: /: error file: is larger than 65536 bytes/ },
    { name: 'a directory', put: (file) => mkdirSync(file), want: /x\.yaml: error file: is not a readable file/ },
    {
      name: 'a link to itself',
      put: (file) => symlinkSync(file, file),
      want: /x\.yaml: error file: is not a readable file/,
    },
    {
      name: 'a link to nowhere',
      put: (file) => symlinkSync('nowhere', file),
      want: /: error file: is not a readable file/,
    },
    {
      name: 'a link to a device',
      put: (file) => symlinkSync('/dev/zero', file),
      want: /: error file: is not a readable file/,
    },
    { name: 'invalid UTF-8', put: text(Buffer.from([0x61, 0xc3, 0x28])), want: /x\.yaml: error file: is not UTF-8/ },
    {
      name: 'a surrogate in UTF-8',
      put: text(Buffer.from([0xed, 0xa0, 0x80])),
      want: /x\.yaml: error file: is not UTF-8/,
    },
    {
      name: 'lists that are nested deeply',
      put: text('['.repeat(60_000)),
      want: /: error syntax: is nested too deeply/,
    },
    {
      name: 'mappings that are nested deeply',
      put: text('{a: '.repeat(16_000)),
      want: /: error syntax: is nested too deeply/,
    },
    {
      name: 'blocks that are nested deeply',
      put: text(`${'- '.repeat(30_000)}x`),
      want: /: error syntax: is nested too deeply/,
    },
    {
      name: 'lines that are nested deeply',
      put: text(
        yaml(`description:\n${Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth + 1)}a:`).join('\n')}`),
      ),
      want: /:1:1: error schema: description: /,
    },
    {
      name: 'a pattern with a reference, which the analysis throws over',
      put: text(good().replace('{', `{"params":{"a":{"pattern":"([a-z]+)${'\\\\'}1"}},`)),
      want: /: error pattern-backtracks: params\.a\.pattern: /,
    },
    {
      name: 'many patterns that backtrack',
      put: text(good().replace('{', `{"params":${JSON.stringify(evil)},`)),
      want: /: error (?:pattern-backtracks|schema): params/,
    },
    { name: 'nothing', put: text(''), want: /: error schema: / },
    { name: 'NUL', put: text('\0'.repeat(1000)), want: /: error / },
    { name: 'two documents', put: text(`${good()}\n---\n${good()}`), want: /: error syntax: / },
    { name: 'an unknown tag', put: text('description: !!js/function x\n'), want: /: error syntax: / },
    {
      name: 'a merge of a prototype',
      put: text('__proto__: { allow: { issuer: app } }\n'),
      want: /error syntax: __proto__/,
    },
    {
      name: 'an unknown key',
      put: text(good().replace('{', '{"alow":{},')),
      want: /:1:2: error schema: alow: is not a known key/,
    },
  ]
  const { directory, reload, vend, said } = await serve(t, { 'a.yaml': good() })
  const file = `${directory}/x.yaml`
  for (const { name, put, want } of rows) {
    await t.test(name, async (t) => {
      const before = said('policies refused, the old ones stay').length
      put(file)
      const started = performance.now()
      await reload()
      t.ok(performance.now() - started < 3000, 'in reasonable time')
      const refusals = said('policies refused, the old ones stay').slice(before)
      t.equal(refusals.length, 1)
      t.match(refusals, [{ errors: 1, findings: [want] }])
      t.match(refusals[0]?.findings, [file], 'which names the file')
      t.ok(JSON.stringify(refusals).length < 2000, 'and is short')
      t.equal(await vend('a'), 'users/alice/')
      rmSync(file, { recursive: true, force: true })
    })
  }
  await reload()
  t.match(said('policies loaded').at(-1), { templates: 1 })
})
