import t from 'tap'
import { lintTemplate } from '../../../src/policy/check/lint/lint.ts'
import { lintSubject } from '../../../src/policy/check/lint/rule.ts'
import { allowedIssuers, checkConditions, conditionsOn, unmetCondition } from '../../../src/policy/claims/allow.ts'
import { claimAt, parseClaim } from '../../../src/policy/claims/claim.ts'
import { testClaim } from '../../../src/policy/claims/condition.ts'
import { parseTemplate } from '../../../src/policy/template/parse.ts'
import { settings, statement, template, templateText } from '../../helpers/templates.ts'

/** Noon of a day, in milliseconds. */
const AT = Date.UTC(2026, 0, 1, 12)
const NOW = AT / 1000

/** Every kind of thing that JSON can hold. */
const KINDS: Record<string, unknown> = JSON.parse(
  `{"null":null,"text":"x","empty":"","zero":0,"minus zero":-0,"number":7,"huge":1e999,"minus huge":-1e999,
    "true":true,"false":false,"list":["x"],"no list":[],"lists":[["x"],[7],[true]],"object":{"x":"x","length":1,"0":"x"},
    "empty object":{},"like a list":{"0":"x","length":1},"prototype":{"__proto__":{"x":1}}}`,
)

/** Names no claim, so that `allow` alone decides. */
const policy = { Version: '3', Statement: [statement('public/*')] }
const made = (allow: unknown) => template({ allow, policy })
const unmet = (tests: unknown, claims: Record<string, unknown>) =>
  unmetCondition(made({ claims: { c: tests } }), { issuer: 'app', claims }, AT)

const missing = 'claim "c" is missing'

type Tests = { tests: unknown; told: string; holds: unknown[]; nearly: unknown[]; kinds: string[]; otherwise?: string }

/** For each test: values for which it holds, values for which it nearly does, and which kinds of JSON it takes. */
const CASES: Record<string, Tests> = {
  'anyOf, in short': {
    tests: ['x', 'y'],
    told: 'does not hold a required value',
    holds: ['x', 'y', 'a x', 'x a', ['x'], ['a', 'y']],
    nearly: ['X', 'xx', 'x,y', 'a\tx', 'a\nx', 'a\u00a0x', ['a x'], [['x']], ['X'], 'xy', { x: true }],
    kinds: ['text', 'list'],
  },
  'anyOf of numbers and truths': {
    tests: { anyOf: [7, true] },
    told: 'does not hold a required value',
    holds: [7, true, [7], ['a', true], [0, 7]],
    nearly: ['7', 'true', ['7'], ['true'], 7.000001, 1, [[7]], 'a 7'],
    kinds: ['number', 'true'],
  },
  allOf: {
    tests: { allOf: ['x', 'y'] },
    told: 'does not hold every required value',
    holds: ['x y', 'y a x', ['y', 'x'], ['x', 'a', 'y', 'x']],
    nearly: ['x', 'y', 'xy', 'x,y', ['x'], ['x y'], [['x', 'y']], [['x'], ['y']], { x: 1, y: 1 }],
    kinds: [],
  },
  'allOf of one': {
    tests: { allOf: 'x' },
    told: 'does not hold every required value',
    holds: ['x', 'a x', ['x']],
    nearly: ['xx', ['xx'], []],
    kinds: ['text', 'list'],
  },
  'equals a text': {
    tests: { equals: 'x' },
    told: 'is not the required value',
    holds: ['x'],
    nearly: ['X', 'x ', ' x', 'x y', 'xx', ['x'], { x: 'x' }],
    kinds: ['text'],
  },
  'equals true': {
    tests: { equals: true },
    told: 'is not the required value',
    holds: [true],
    nearly: ['true', 1, [true], false, 'yes'],
    kinds: ['true'],
  },
  'equals false': {
    tests: { equals: false },
    told: 'is not the required value',
    holds: [false],
    nearly: ['false', 0, '', [], [false]],
    kinds: ['false'],
  },
  'equals a number': {
    tests: { equals: 7 },
    told: 'is not the required value',
    holds: [7, 7.0],
    nearly: ['7', 7.1, -7, [7], true],
    kinds: ['number'],
  },
  'equals zero': {
    tests: { equals: 0 },
    told: 'is not the required value',
    holds: [0, -0],
    nearly: ['0', false, '', [0]],
    kinds: ['zero', 'minus zero'],
  },
  includes: {
    tests: { includes: 'x' },
    told: 'is not a list with the required item',
    holds: [['x'], ['a', 'x']],
    nearly: ['x', 'a x', ['a x'], ['xx'], [['x']], { 0: 'x', length: 1 }],
    kinds: ['list'],
  },
  'includes a number': {
    tests: { includes: 7 },
    told: 'is not a list with the required item',
    holds: [[7]],
    nearly: [7, ['7'], [70], [[7]]],
    kinds: [],
  },
  prefix: {
    tests: { prefix: '/org/eng' },
    told: 'is not below the required path',
    holds: ['/org/eng', '/org/eng/', '/org/eng/web', ['/a', '/org/eng/web']],
    nearly: [
      ...[
        '/org/engineering',
        '/org',
        '/org/',
        '/org/en',
        'org/eng',
        '/ORG/eng',
        ' /org/eng',
        'x/org/eng',
        '/a /org/eng',
      ],
      ...['/org/eng/../hr', '/org/eng/..', '/org/eng/./x', '/org/../org/eng', '/org//eng', '/org/eng-2', '/org\\eng'],
      ...[[['/org/eng']], ['/org/engineering', '/org'], [7], { '/org/eng': true }, ['/org/eng/../x']],
    ],
    kinds: [],
  },
  'prefix with a slash behind': {
    tests: { prefix: 'org/eng/' },
    told: 'is not below the required path',
    holds: ['org/eng', 'org/eng/', 'org/eng/x'],
    nearly: ['org/eng2', 'org', '/org/eng'],
    kinds: [],
  },
  'prefix of everything': {
    tests: { prefix: '/' },
    told: 'is not below the required path',
    holds: ['/', '/a', ['/a']],
    nearly: ['', 'a', [''], 'a/'],
    kinds: [],
  },
  present: {
    tests: { present: true },
    told: 'is empty',
    holds: ['x', ' ', 0, false, {}, ['']],
    nearly: ['', []],
    kinds: Object.keys(KINDS).filter((kind) => !['null', 'empty', 'no list'].includes(kind)),
  },
  atLeast: {
    tests: { atLeast: 7 },
    told: 'is too low',
    otherwise: 'is not a number',
    holds: [7, 7.5, 8, Number.MAX_VALUE],
    nearly: [6.999, 6, -7, -0],
    kinds: ['number'],
  },
  'atLeast nothing': {
    tests: { atLeast: 0 },
    told: 'is too low',
    otherwise: 'is not a number',
    holds: [0, -0, 1],
    nearly: [-1, -Number.MIN_VALUE],
    kinds: ['zero', 'minus zero', 'number'],
  },
  atMost: {
    tests: { atMost: 7 },
    told: 'is too high',
    otherwise: 'is not a number',
    holds: [7, 0, -8],
    nearly: [7.001, 8, Number.MAX_VALUE],
    kinds: ['zero', 'minus zero', 'number'],
  },
  'atLeast now': {
    tests: { atLeast: 'now' },
    told: 'is too low',
    otherwise: 'is not a number',
    holds: [NOW, NOW + 1, NOW * 1000],
    nearly: [NOW - 1, NOW - 0.001, 0],
    kinds: [],
  },
  'atMost now': {
    tests: { atMost: 'now' },
    told: 'is too high',
    otherwise: 'is not a number',
    holds: [NOW, NOW - 1, 0],
    nearly: [NOW + 1, NOW + 0.001, AT],
    kinds: ['zero', 'minus zero', 'number'],
  },
  matches: {
    tests: { matches: 'x|[a-z]+-\\d{2}' },
    told: 'does not have the required form',
    holds: ['x', 'ab-12'],
    nearly: ['x\n', 'ab-123', 'x-ab-12', 'ab-12x', '\nx', 'X', ['x'], 'x x', 'y\nx'],
    kinds: ['text'],
  },
}

for (const [name, { tests, told, otherwise = told, holds, nearly, kinds }] of Object.entries(CASES)) {
  t.test(name, async (t) => {
    for (const c of holds) t.equal(unmet(tests, { c }), undefined, `holds: ${JSON.stringify(c)}`)
    for (const c of nearly) t.equal(unmet(tests, { c }), `claim "c" ${told}`, `nearly: ${JSON.stringify(c)}`)
    // A type that does not fit is never a pass.
    for (const [kind, c] of Object.entries(KINDS)) {
      const want = kinds.includes(kind)
        ? undefined
        : c === null
          ? missing
          : [`claim "c" ${told}`, `claim "c" ${otherwise}`]
      const got = unmet(tests, { c })
      if (Array.isArray(want)) t.ok(got !== undefined && want.includes(got), `${kind}: ${got}`)
      else t.equal(got, want, kind)
    }
    t.equal(unmet(tests, {}), missing, 'nothing')
    t.equal(unmet(tests, Object.create({ c: holds[0] })), missing, 'inherited')
    t.equal(unmet(tests, JSON.parse(`{"__proto__":{"c":${JSON.stringify(holds[0])}}}`)), missing, 'of a prototype')
    t.equal(unmet(tests, { C: holds[0], ' c': holds[0], 'c ': holds[0] }), missing, 'by another name')
  })
}

t.test('all tests of a claim must hold, and the first failure is reported', async (t) => {
  const tests = { anyOf: ['a', 'b'], allOf: ['a', 'c'], matches: '[a-c ]+' }
  t.equal(unmet(tests, { c: 'a c' }), undefined)
  t.equal(unmet(tests, { c: 'x' }), 'claim "c" does not hold a required value')
  t.equal(unmet(tests, { c: 'a b' }), 'claim "c" does not hold every required value')
  t.equal(unmet(tests, { c: 'a c d' }), 'claim "c" does not have the required form')
  t.equal(unmet({ atLeast: 3, atMost: 9 }, { c: 2 }), 'claim "c" is too low')
})

t.test('what cannot be written', async (t) => {
  const rows: { name: string; claims: unknown }[] = [
    { name: 'no claim', claims: {} },
    { name: 'no test', claims: { c: {} } },
    { name: 'an unknown test', claims: { c: { anyof: ['x'] } } },
    { name: 'an unknown test beside a known one', claims: { c: { anyOf: ['x'], not: ['y'] } } },
    { name: 'nothing to hold', claims: { c: [] } },
    { name: 'nothing of which all', claims: { c: { allOf: [] } } },
    { name: 'an empty text', claims: { c: '' } },
    { name: 'an empty text among others', claims: { c: ['x', ''] } },
    { name: 'null', claims: { c: null } },
    { name: 'an object to hold', claims: { c: { anyOf: [{ x: 1 }] } } },
    { name: 'a list to equal', claims: { c: { equals: ['x'] } } },
    { name: 'absence', claims: { c: { present: false } } },
    { name: 'an empty prefix', claims: { c: { prefix: '' } } },
    { name: 'a bound that is a text', claims: { c: { atLeast: '7' } } },
    { name: 'another word for a bound', claims: { c: { atLeast: 'later' } } },
    { name: 'no regular expression', claims: { c: { matches: '(' } } },
    { name: 'one only within the group that anchors it', claims: { c: { matches: 'a)|(b' } } },
    { name: 'a long pattern', claims: { c: { matches: 'x'.repeat(257) } } },
    { name: 'an invalid name', claims: { 'a..b': 'x' } },
    { name: 'an empty name', claims: { '': 'x' } },
    { name: 'a quote that is not closed', claims: { '"a': 'x' } },
  ]
  for (const { name, claims } of rows) {
    t.test(name, async (t) => {
      const { findings } = parseTemplate('a.yaml', 'a', templateText({ allow: { claims }, policy }))
      t.ok(findings && findings.length > 0)
      t.ok(findings?.every(({ rule }) => rule === 'schema' || rule === 'syntax'))
    })
  }
  for (const bound of ['.inf', '-.inf', '.nan', '1e999']) {
    const text = `description: d\nallow: { claims: { c: { atLeast: ${bound} } } }\npolicy: ${JSON.stringify(policy)}\n`
    t.ok(parseTemplate('a.yaml', 'a', text).findings, `${bound} as a bound`)
  }
  const proto = '{"description":"d","allow":{"claims":{"__proto__":["x"]}},"policy":{}}'
  t.match(parseTemplate('a.json', 'a', proto).findings, [{ message: '__proto__ cannot be used as a key' }])
})

t.test('a refusal names the claim, and never an accepted value', async (t) => {
  const tests = [
    { anyOf: ['SENTINEL'] },
    { allOf: ['SENTINEL', 'x'] },
    { equals: 'SENTINEL' },
    { includes: 'SENTINEL' },
    { prefix: '/SENTINEL' },
    { matches: 'SENTINEL' },
    { atLeast: 271_828 },
    { atMost: -271_828 },
  ]
  const values = ['x', '', 7, true, ['x'], { x: 1 }, null, undefined, '271827', 271_827, 'SENTINE', '/SENTINELS']
  for (const test of tests) {
    for (const value of values) {
      const told = unmet(test, { c: value })
      t.match(told, /^claim "c" /u)
      t.notMatch(told, /SENTINEL|271/u, `${JSON.stringify(test)} of ${JSON.stringify(value)}`)
      const any = unmetCondition(
        made({ any: [{ claims: { c: test } }, { claims: { d: test } }] }),
        { issuer: 'app', claims: { c: value } },
        AT,
      )
      t.notMatch(any, /SENTINEL|271/u)
    }
    const [condition] = made({ claims: { c: test } }).allow?.claims ?? []
    if (!condition) throw new Error('no condition')
    const [result] = testClaim(condition, {}, AT)
    t.match(result?.needs, /SENTINEL|271828/u, 'the operator sees the value')
  }
})

t.test('alternatives', async (t) => {
  const staff = { issuer: 'corp', claims: { role: 'staff' } }
  const vip = { claims: { vip: { equals: true }, level: { atLeast: 3 } } }
  const both = made({ claims: { scope: 'up' }, any: [staff, vip] })
  const rows: { name: string; claims: Record<string, unknown>; issuer?: string; want?: string }[] = [
    { name: 'the first', claims: { scope: 'up', role: 'staff' }, issuer: 'corp' },
    { name: 'the second', claims: { scope: 'up', vip: true, level: 3 } },
    { name: 'both', claims: { scope: 'up', role: 'staff', vip: true, level: 9 }, issuer: 'corp' },
    {
      name: 'half of each',
      claims: { scope: 'up', role: 'staff', vip: true },
      want: 'no alternative holds: the token\'s issuer is not accepted; or claim "level" is missing',
    },
    {
      name: 'neither, for one reason',
      claims: { scope: 'up' },
      issuer: 'corp',
      want: 'no alternative holds: claim "role" is missing; or claim "vip" is missing',
    },
    { name: 'not what all need', claims: { vip: true, level: 3 }, want: 'claim "scope" is missing' },
  ]
  for (const { name, claims, issuer = 'app', want } of rows) {
    t.test(name, async (t) => {
      t.equal(unmetCondition(both, { issuer, claims }, AT), want)
      t.equal(checkConditions(both, { issuer, claims }, AT).held, want === undefined, 'checkConditions agrees')
    })
  }
  t.test('equal failures of alternatives are reported once', async (t) => {
    const alike = made({ any: [{ claims: { c: 'x' } }, { claims: { c: 'y' } }] })
    t.equal(unmetCondition(alike, { issuer: 'app', claims: {} }, AT), `no alternative holds: ${missing}`)
  })
  t.test('checkConditions returns every condition, held or not', async (t) => {
    const { always, alternatives } = checkConditions(both, { issuer: 'app', claims: { scope: 'down', vip: true } }, AT)
    t.match(always, [{ held: false, needs: 'scope holds any of up', had: 'down' }])
    t.strictSame(always.length, 1)
    t.match(alternatives, [
      [
        { held: false, needs: 'issuer is corp', had: 'app' },
        { held: false, needs: 'role holds any of staff' },
      ],
      [
        { held: true, needs: 'vip is true', had: true },
        { held: false, needs: 'level is at least 3' },
      ],
    ])
  })
  t.test('what cannot be written', async (t) => {
    for (const allow of [{ any: [] }, { any: [{}] }, { any: [{ any: [staff] }] }, { any: [{ claims: {} }] }, {}]) {
      t.ok(parseTemplate('a.yaml', 'a', templateText({ allow, policy })).findings, JSON.stringify(allow))
    }
  })
})

t.test('issuers whose callers can have the policy', async (t) => {
  const configured = ['app', 'web', 'corp']
  const claims = { c: 'x' }
  const rows: { name: string; allow: unknown; want: string[] }[] = [
    { name: 'no allow', allow: undefined, want: [] },
    { name: 'claims', allow: { claims }, want: configured },
    { name: 'one', allow: { issuer: 'web' }, want: ['web'] },
    { name: 'two, as they are configured', allow: { issuer: ['corp', 'app'] }, want: ['app', 'corp'] },
    { name: 'one that is not configured', allow: { issuer: ['web', 'x'] }, want: ['web'] },
    { name: 'alternatives', allow: { any: [{ issuer: 'app' }, { issuer: 'corp', claims }] }, want: ['app', 'corp'] },
    { name: 'an alternative for all', allow: { any: [{ issuer: 'app' }, { claims }] }, want: configured },
    {
      name: 'within those of all',
      allow: { issuer: ['app', 'web'], any: [{ issuer: 'app' }, { issuer: 'corp' }] },
      want: ['app'],
    },
    { name: 'no issuer', allow: { issuer: 'app', any: [{ issuer: 'web' }] }, want: [] },
  ]
  for (const { name, allow, want } of rows) {
    t.test(name, async (t) => t.strictSame(allowedIssuers(made(allow), configured), want))
  }
})

t.test('conditions on a claim that every caller meets', async (t) => {
  const [x, y] = [{ claims: { c: 'x' } }, { claims: { '"c"': { matches: 'y' } } }]
  const rows: { name: string; allow: unknown; want: number }[] = [
    { name: 'no allow', allow: undefined, want: 0 },
    { name: 'one', allow: x, want: 1 },
    { name: 'another claim', allow: { claims: { 'c.d': 'x', d: 'x' } }, want: 0 },
    { name: 'one of each alternative', allow: { any: [x, y] }, want: 2 },
    { name: 'an alternative without', allow: { any: [x, { issuer: 'app' }] }, want: 0 },
    { name: 'and one of all', allow: { ...x, any: [y, { issuer: 'app' }] }, want: 1 },
    { name: 'all', allow: { ...x, any: [x, y] }, want: 3 },
  ]
  for (const { name, allow, want } of rows) {
    t.test(name, async (t) => t.equal(conditionsOn(made(allow), ['c']).length, want))
  }
})

t.test('names of claims', async (t) => {
  const rows: { name: string; want: string[] | undefined }[] = [
    { name: 'sub', want: ['sub'] },
    { name: 'realm_access.roles', want: ['realm_access', 'roles'] },
    { name: 'https://example.com/roles', want: ['https://example.com/roles'] },
    { name: 'http://example.com/a.b', want: ['http://example.com/a.b'] },
    { name: '"example.com/roles"', want: ['example.com/roles'] },
    { name: '"https://example.com/app".admin', want: ['https://example.com/app', 'admin'] },
    { name: 'a."b.c".d', want: ['a', 'b.c', 'd'] },
    { name: '"a b"', want: ['a b'] },
    { name: 'cognito:groups', want: ['cognito:groups'] },
    { name: 'ä.李', want: ['ä', '李'] },
    { name: '__proto__', want: ['__proto__'] },
    ...['', '.', 'a.', '.a', 'a..b', 'a b', '"a', 'a"', '""', 'a.""', '"a"b', 'https://a b', '"a".'].map((name) => ({
      name,
      want: undefined,
    })),
  ]
  for (const { name, want } of rows) {
    t.test(JSON.stringify(name), async (t) => t.strictSame(parseClaim(name), want))
  }
  const claims = {
    'https://example.com/roles': ['up'],
    'example.com/x': { 'a.b': 'up' },
    a: { b: 'down' },
    'a.b': 'up',
  }
  for (const name of ['https://example.com/roles', '"example.com/x"."a.b"', '"a.b"']) {
    t.equal(unmetCondition(made({ claims: { [name]: 'up' } }), { issuer: 'app', claims }, AT), undefined, name)
  }
  t.equal(claimAt(claims, parseClaim('a.b') ?? []), 'down', 'dots reach into objects, and into nothing else')
})

t.test('hostile claims cost no time and open nothing', async (t) => {
  const long = 'x '.repeat(200_000)
  const deep = JSON.parse(`${'['.repeat(5000)}"x"${']'.repeat(5000)}`)
  const wide = Array.from({ length: 100_000 }, (_, index) => `v${index}`)
  const hostile = [long, deep, wide, `${'/'.repeat(300_000)}`, '/org/eng/'.repeat(50_000), 'a'.repeat(1_000_000)]
  const started = performance.now()
  for (const c of hostile) {
    for (const tests of [
      { anyOf: ['y'] },
      { allOf: ['y', 'z'] },
      { includes: 'y' },
      { prefix: '/org/hr' },
      { equals: 'y' },
      { matches: 'y+' },
      { atLeast: 1 },
    ]) {
      t.not(unmet(tests, { c }), undefined)
    }
  }
  t.ok(performance.now() - started < 5000)
})

t.test('a pattern never meets more than 256 characters', async (t) => {
  t.equal(unmet({ matches: 'x+' }, { c: 'x'.repeat(256) }), undefined)
  t.equal(unmet({ matches: 'x+' }, { c: 'x'.repeat(257) }), 'claim "c" does not have the required form')
  t.equal(unmet({ matches: '.+' }, { c: '𠮷'.repeat(128) }), undefined)
  t.equal(unmet({ matches: '.+' }, { c: '𠮷'.repeat(129) }), 'claim "c" does not have the required form')
  const met: number[] = []
  const [condition] = template({ allow: { claims: { c: { matches: 'x+' } } } }).allow?.claims ?? []
  if (!condition?.tests.matches) throw new Error('there is no pattern')
  Object.assign(condition.tests.matches, {
    test(text: string): boolean {
      met.push(text.length)
      return false
    },
  })
  for (const c of ['x', 'x'.repeat(256), 'x'.repeat(257), 'x'.repeat(1e6), ['x'], 7, null, undefined, {}]) {
    testClaim(condition, { c }, AT)
  }
  t.strictSame(met, [1, 256])
})

t.test('a pattern that backtracks never runs: its template is refused before its examples run', async (t) => {
  const pattern = '(a|a)*b'
  const allow = { claims: { c: { matches: pattern } } }
  // 256 characters over which it would run longer than anybody waits.
  const caller = { sub: 'alice', c: 'a'.repeat(256) }
  const examples = [{ caller, cannot: ['PutObject x', 'PutObject other/x'] }]
  const started = performance.now()
  const found = lintTemplate(lintSubject(template({ allow, examples }), { ...settings, issuers: ['app'] }))
  t.match(
    found.filter(({ severity }) => severity === 'error'),
    [{ rule: 'pattern-backtracks', path: ['allow', 'claims', 'c', 'matches'] }],
  )
  t.ok(performance.now() - started < 2000)
})
