import t from 'tap'
import { shippedPackages } from '../../../scripts/supply-chain/packages.ts'

const manifest = (name: string, more: object = {}) =>
  JSON.stringify({ name, version: '1.0.0', license: 'MIT', ...more })
const lock = (packages: Record<string, object>) => JSON.stringify({ packages: { '': { name: 'mine' }, ...packages } })

t.test('every package that ships is found, with its licence and its texts', async (t) => {
  const root = t.testdir({
    'package-lock.json': lock({
      'node_modules/b': {},
      'node_modules/@scope/a': { peer: true },
      'node_modules/b/node_modules/c': { optional: true },
      'node_modules/tool': { dev: true },
      'node_modules/elsewhere': { optional: true },
      'node_modules/both': { devOptional: true },
    }),
    node_modules: {
      b: {
        'package.json': manifest('b', { license: { type: 'ISC' }, author: { name: 'Ann', email: 'a@b' } }),
        LICENSE: 'text of b',
        lib: { 'NOTICE.md': 'notice of b', 'bundle.js.LICENSE.txt': 'bundled', 'licences.js': '', 'index.js': '' },
        node_modules: { c: { 'package.json': manifest('c', { author: 'Cy <c@d>' }), 'LICENCE-MIT': 'text of c' } },
      },
      '@scope': { a: { 'package.json': manifest('@scope/a', { license: undefined }) } },
      tool: { 'package.json': manifest('tool') },
      both: { 'package.json': manifest('both'), COPYING: 'text of both' },
    },
  })
  const one = (name: string, more: object) => ({
    name,
    version: '1.0.0',
    licence: 'MIT',
    author: undefined,
    texts: [],
    ...more,
  })
  t.strictSame(shippedPackages(root), [
    one('@scope/a', { licence: undefined }),
    one('b', {
      licence: 'ISC',
      author: 'Ann',
      texts: [
        { path: 'LICENSE', text: 'text of b' },
        { path: 'lib/NOTICE.md', text: 'notice of b' },
        { path: 'lib/bundle.js.LICENSE.txt', text: 'bundled' },
      ],
    }),
    one('both', { texts: [{ path: 'COPYING', text: 'text of both' }] }),
    one('c', { author: 'Cy <c@d>', texts: [{ path: 'LICENCE-MIT', text: 'text of c' }] }),
  ])
})

t.test('a package that is not installed is an error, because nobody can know its licence', async (t) => {
  const root = t.testdir({ 'package-lock.json': lock({ 'node_modules/b': {} }) })
  t.throws(() => shippedPackages(root), { message: 'node_modules/b is not installed: run npm ci' })
})

t.test('a version that stands in two places is listed once', async (t) => {
  const b = () => ({ 'package.json': manifest('b'), LICENSE: 'x' })
  const root = t.testdir({
    'package-lock.json': lock({ 'node_modules/b': {}, 'node_modules/a/node_modules/b': {} }),
    node_modules: { b: b(), a: { node_modules: { b: b() } } },
  })
  t.equal(shippedPackages(root).length, 1)
})
