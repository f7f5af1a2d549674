import { spawnSync } from 'node:child_process'
import t from 'tap'
import { checkAdvisories, type EXIT_CODES, readAccepted } from '../../../scripts/supply-chain/advisories.ts'

const NOW = Date.parse('2030-01-31T12:00:00Z')
const ID = 'GHSA-aaaa-bbbb-cccc'
const OTHER = 'GHSA-dddd-eeee-ffff'
const reason = 'We never call the function that it is about.'
const advisory = (id: string, name: string) => ({
  source: 1,
  name,
  dependency: name,
  title: 'Bad thing',
  url: `https://github.com/advisories/${id}`,
  severity: 'high',
  range: '<2',
})

/** The output of `npm audit --json`: a package with an advisory, and one that is only affected through it. */
const audit = (...found: ReturnType<typeof advisory>[]) =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: {
      ...Object.fromEntries(
        found.map((one) => [one.name, { name: one.name, severity: 'high', via: [one], fixAvailable: true }]),
      ),
      parent: { name: 'parent', severity: 'high', via: ['left-pad', ...found] },
    },
    metadata: { vulnerabilities: { total: 2 } },
  })

/** npm's output where the registry has no audit. */
const NO_AUDIT = JSON.stringify({
  message: '405 Method Not Allowed',
  method: 'POST',
  statusCode: 405,
  body: '',
  error: { summary: '', detail: '' },
})
const until = (day: string, id = ID) => [{ id, until: day, reason }]

const rows: {
  name: string
  output: string
  accepted?: ReturnType<typeof until>
  want: keyof typeof EXIT_CODES
  line: RegExp
}[] = [
  { name: 'no advisory', output: audit(), want: 'clean', line: /^0 open, 0 accepted$/u },
  {
    name: 'an advisory',
    output: audit(advisory(ID, 'left-pad')),
    want: 'open',
    line: /^✗ GHSA-aaaa-bbbb-cccc high in left-pad: Bad thing \(https/u,
  },
  {
    name: 'an accepted advisory',
    output: audit(advisory(ID, 'left-pad')),
    accepted: until('2030-02-01'),
    want: 'clean',
    line: /^0 open, 1 accepted$/u,
  },
  {
    name: 'its last day',
    output: audit(advisory(ID, 'left-pad')),
    accepted: until('2030-01-31'),
    want: 'clean',
    line: /^0 open, 1 accepted$/u,
  },
  {
    name: 'the day after',
    output: audit(advisory(ID, 'left-pad')),
    accepted: until('2030-01-30'),
    want: 'open',
    line: /^✗ GHSA-aaaa-bbbb-cccc was accepted until 2030-01-30/u,
  },
  {
    name: 'an entry that runs for too long',
    output: audit(advisory(ID, 'left-pad')),
    accepted: until('2031-01-31'),
    want: 'open',
    line: /an entry may run for 180 days/u,
  },
  {
    name: 'another advisory than the accepted one',
    output: audit(advisory(OTHER, 'left-pad')),
    accepted: until('2030-02-01'),
    want: 'open',
    line: /^✗ GHSA-dddd-eeee-ffff/u,
  },
  {
    name: 'an entry for nothing',
    output: audit(),
    accepted: until('2030-02-01'),
    want: 'clean',
    line: /^! GHSA-aaaa-bbbb-cccc is accepted and no longer open: remove it/u,
  },
  {
    name: 'a registry without an audit',
    output: NO_AUDIT,
    want: 'unchecked',
    line: /^! not checked: the registry offers no audit \(it answers 405\)\./u,
  },
  { name: 'no output', output: '', want: 'unchecked', line: /^! not checked: npm could not ask/u },
  {
    name: 'output of another form',
    output: '{"auditReportVersion":3,"vulnerabilities":{}}',
    want: 'unchecked',
    line: /^! not checked/u,
  },
  {
    name: 'an entry that is over, without an audit',
    output: NO_AUDIT,
    accepted: until('2030-01-01'),
    want: 'open',
    line: /^✗ GHSA-aaaa-bbbb-cccc was accepted/u,
  },
]
for (const { name, output, accepted = [], want, line } of rows) {
  t.test(`${name}: ${want}`, async (t) => {
    const { outcome, lines } = checkAdvisories(output, accepted, NOW)
    t.equal(outcome, want)
    t.ok(
      lines.some((one) => line.test(one)),
      lines.join('\n'),
    )
  })
}

t.test('an entry needs an id, a day and a reason', async (t) => {
  t.strictSame(readAccepted(JSON.stringify(until('2030-01-01'))), until('2030-01-01'))
  for (const change of [
    { id: 'left-pad' },
    { until: 'soon' },
    { until: undefined },
    { reason: 'ok' },
    { reason: undefined },
    { package: 'x' },
  ]) {
    t.throws(() => readAccepted(JSON.stringify([{ ...until('2030-01-01')[0], ...change }])), { name: 'ZodError' })
  }
})

for (const [name, output, code] of [
  ['fails for an advisory', audit(advisory(ID, 'left-pad')), 1],
  ['does not pass where the registry has no audit', NO_AUDIT, 3],
] as const) {
  t.test(`npm run advisories ${name}`, async (t) => {
    // npm exits with 1 in both cases.
    const npm = { npm: t.fixture('file', `#!/bin/sh\nprintf %s "$AUDIT"\nexit 1\n`) }
    const bin = t.testdir(npm)
    spawnSync('chmod', ['755', `${bin}/npm`])
    const env = { ...process.env, AUDIT: output, PATH: `${bin}:${process.env.PATH}` }
    const { status, stdout } = spawnSync('node', ['--import', 'tsx', 'scripts/advisories.ts'], {
      env,
      encoding: 'utf8',
    })
    t.equal(status, code, stdout)
  })
}
