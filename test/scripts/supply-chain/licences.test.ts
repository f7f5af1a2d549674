import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  checkLicences,
  isAllowed,
  type LicenceRules,
  readRules,
  thirdPartyLicences,
} from '../../../scripts/supply-chain/licences.ts'
import { type ShippedPackage, shippedPackages } from '../../../scripts/supply-chain/packages.ts'

const REASON = 'A reason of more than twenty characters.'
const RULES: LicenceRules = {
  allowed: { MIT: REASON, 'Apache-2.0': REASON, 'BSD-3-Clause': REASON },
  packages: {},
  carried: {},
}
const TEXTS = [{ path: 'LICENSE', text: 'the text' }]
const one = (licence: string | undefined, more: Partial<ShippedPackage> = {}): ShippedPackage => ({
  name: 'a',
  version: '1.0.0',
  licence,
  author: undefined,
  texts: TEXTS,
  ...more,
})

const expressions: readonly (readonly [expression: string, allowed: boolean])[] = [
  ['MIT', true],
  ['GPL-3.0-only', false],
  ['mit', false],
  ['', false],
  ['constructor', false],
  ['SEE LICENSE IN LICENSE', false],
  ['UNLICENSED', false],
  ['(MIT OR GPL-3.0-only)', true],
  ['GPL-3.0-only OR MIT', true],
  ['GPL-3.0-only OR AGPL-3.0-only', false],
  ['MIT AND Apache-2.0', true],
  ['(MIT AND GPL-3.0-only)', false],
  ['MIT AND GPL-3.0-only OR MIT', false],
  ['MIT OR (Apache-2.0 AND GPL-3.0-only)', false],
  ['Apache-2.0 WITH LLVM-exception', false],
]
for (const [expression, allowed] of expressions) {
  t.test(`the licence "${expression}" is ${allowed ? 'allowed' : 'refused'}`, async (t) => {
    t.equal(isAllowed(expression, RULES), allowed)
  })
}

const rows: { name: string; one: ShippedPackage; rules?: Partial<LicenceRules>; want: string[] }[] = [
  { name: 'an allowed licence', one: one('MIT'), want: [] },
  { name: 'an unknown licence', one: one('GPL-2.0'), want: ['a 1.0.0 has the licence GPL-2.0, which is not allowed'] },
  { name: 'no licence', one: one(undefined), want: ['a 1.0.0 names no licence'] },
  { name: 'a forgotten text with a standard form', one: one('MIT', { texts: [] }), want: [] },
  {
    name: 'a forgotten text without a standard form',
    one: one('BSD-3-Clause', { texts: [{ path: 'NOTICE', text: 'a notice' }] }),
    want: ['a 1.0.0 has no text of its licence BSD-3-Clause'],
  },
  {
    name: 'an exception for this version',
    one: one(undefined),
    rules: { packages: { a: { version: '1.0.0', licence: 'MIT', reason: REASON } } },
    want: [],
  },
  {
    name: 'an exception for another version',
    one: one(undefined),
    rules: { packages: { a: { version: '0.9.0', licence: 'MIT', reason: REASON } } },
    want: ['a 1.0.0 names no licence', 'packages is about a 0.9.0, which is no longer the version'],
  },
  {
    name: 'an exception that leads to an unknown licence',
    one: one(undefined),
    rules: { packages: { a: { version: '1.0.0', licence: 'GPL-2.0', reason: REASON } } },
    want: ['a 1.0.0 has the licence GPL-2.0, which is not allowed'],
  },
  {
    name: 'an exception for nothing',
    one: one('MIT'),
    rules: { packages: { b: { version: '1.0.0', licence: 'MIT', reason: REASON } } },
    want: ['packages names b, which does not ship'],
  },
  {
    name: 'carried code with an unknown licence',
    one: one('MIT'),
    rules: { carried: { a: [{ name: 'inner', licence: 'GPL-2.0', copyright: 'c' }], b: [] } },
    want: ['inner in a has the licence GPL-2.0, which is not allowed', 'carried names b, which does not ship'],
  },
]
for (const { name, one, rules, want } of rows) {
  t.test(name, async (t) => {
    t.strictSame(checkLicences([one], { ...RULES, ...rules }).faults, want)
  })
}

t.test('an entry without a reason is not read', async (t) => {
  for (const text of [
    'allowed: { MIT: ok }\npackages: {}\ncarried: {}',
    `allowed: { "M I T": ${REASON} }\npackages: {}\ncarried: {}`,
    'allowed: {}\npackages: { a: { version: 1.0.0, licence: MIT } }\ncarried: {}',
    'allowed: {}\npackages: {}\ncarried: {}\nignore: []',
  ]) {
    t.throws(() => readRules(text), { name: 'ZodError' }, text)
  }
})

t.test('the texts that go with the code', async (t) => {
  const packages = [
    one('MIT', { texts: [...TEXTS, { path: 'lib/NOTICE', text: 'the notice' }] }),
    one('MIT', { name: 'b', texts: [], author: 'Ann' }),
    one('Apache-2.0', { name: 'c', texts: [{ path: 'NOTICE', text: 'notice of c' }] }),
  ]
  const rules = { ...RULES, carried: { b: [{ name: 'inner', licence: 'Apache-2.0', copyright: 'Copyright Bob' }] } }
  const text = thirdPartyLicences(checkLicences(packages, rules), rules, 'APACHE TEXT')
  const [, a = '', b = '', c = '', apache = '', ...more] = text.split(/^-{80}$/mu)
  t.match(a, /a 1\.0\.0: MIT\n\n\[LICENSE\]\n\nthe text\n\n\[lib\/NOTICE\]\n\nthe notice\n/u)
  t.notMatch(a, /Permission is hereby/u, 'a text of its own needs no other')
  t.match(b, /b 1\.0\.0: MIT\n\nCopyright \(c\) Ann\n\nPermission is hereby granted/u)
  t.match(b, /It has code of inner: Apache-2\.0\. Copyright Bob\n/u)
  t.match(
    c,
    /c 1\.0\.0: Apache-2\.0\n\n\[NOTICE\]\n\nnotice of c\n\nThe text of the Apache License 2\.0 is at the end/u,
  )
  t.match(apache, /APACHE TEXT/u)
  t.strictSame(more, [])
})

t.test('everything that ships today may ship, and its licences are written', async (t) => {
  const file = `${t.testdir()}/THIRD-PARTY-LICENCES`
  const { status, stdout } = spawnSync('node', ['--import', 'tsx', 'scripts/licences.ts', '--write', file], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout)
  const text = readFileSync(file, 'utf8')
  const packages = shippedPackages('.')
  t.ok(packages.length > 50)
  for (const { name, version, licence } of packages) t.ok(text.includes(`\n${name} ${version}: ${licence}\n`), name)
  t.match(text, /code of swagger-ui: Apache-2\.0/u)
  t.match(text, /Version 2\.0, January 2004/u)
})
