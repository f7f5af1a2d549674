import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { run } from '../../../helpers/run-capacity.ts'

// Simulations take processor time, and machines that share theirs are slow.
t.setTimeout(180_000)

t.test('the exit code says whether everything fits', async (t) => {
  const rows = [
    { name: 'a small app', args: ['--users', '1000'], code: 0, want: /binding limit +none \(nearest: STS quota, / },
    {
      name: 'one of several runs is too large',
      args: ['--users', '1000,9000000'],
      code: 1,
      want: /STS quota \(.* refused\)\n$/,
    },
    {
      name: 'replicas too slow',
      args: ['--users', '1000000', '--vends-per-core', '50'],
      code: 1,
      want: /binding limit +replica CPU \(81\.\d of 50 answers a second\)/,
    },
    {
      name: 'too little memory',
      args: ['--users', '100000', '--no-shared-cache', '--memory', '5'],
      code: 1,
      want: /binding limit +replica memory \(.* of 5 MB\)/,
    },
    {
      name: 'too little Redis',
      args: ['--users', '1000000', '--session', '43200', '--redis-memory', '1000'],
      code: 1,
      want: /binding limit +shared cache memory \(.* of 1,000 MB\)/,
    },
    {
      name: 'too little network',
      args: ['--users', '1000000', '--network', '1', '--answer-bytes', '100000'],
      code: 1,
      want: /binding limit +replica network \(.* of 1 MB a second\)/,
    },
    { name: 'each user followed', args: ['--users', '1000', '--exact'], code: 0, want: /1,000 users/ },
    { name: 'nobody fits', args: ['--find-users', '--pattern', 'outage'], code: 1, want: /^$/ },
  ]
  for (const { name, args, code, want } of rows) {
    t.test(name, async (t) => {
      const found = run(...args)
      t.equal(found.code, code)
      t.match(found.out, want)
      t.equal(found.err, name === 'nobody fits' ? 'Not even 10 users fit.\n' : '')
    })
  }
})

t.test('wrong options give exit code 2', async (t) => {
  const rows = [
    { args: ['--users', 'many'], want: 'must be a whole number from 1 to 1000000000' },
    { args: ['--users', '0'], want: 'must be a whole number' },
    { args: ['--users', '10,'], want: 'must be a whole number' },
    { args: ['--session', '900'], want: 'from 3600 to 43200' },
    { args: ['--pattern', 'weekly'], want: 'Allowed choices are flat, daily, morning, push, outage' },
    { args: ['--opens', '20', '--use', '4000'], want: '--opens times --use must be at most nine tenths of a day' },
    { args: ['--exact'], want: '--exact allows at most 200000 users times caches' },
    { args: ['--exact', '--users', '10', '--signed-urls'], want: '--exact does not work with --signed-urls' },
    { args: ['--frobnicate'], want: 'unknown option' },
    { args: ['surplus'], want: 'too many arguments' },
  ]
  for (const { args, want } of rows) {
    t.test(args.join(' '), async (t) => {
      const { code, out, err } = run(...args)
      t.equal(code, 2)
      t.equal(out, '')
      t.match(err, want)
    })
  }
})

t.test('JSON output', async (t) => {
  const { code, out } = run('--users', '1000,2000', '--json')
  t.equal(code, 0)
  const [first, second] = JSON.parse(out)
  t.match(first, { scenario: { users: 1000 }, limits: { binding: null, bytesPerReplica: Number }, words: /^none/u })
  t.match(second, {
    scenario: { users: 2000 },
    day: { hitRate: Number, calls: { mean: Number, p99: Number, peak: Number } },
  })
  t.equal(first.day.seconds, undefined, 'the summary of the day, without its seconds')
})

t.test('the npm script runs the command', async (t) => {
  const script: string = JSON.parse(readFileSync('package.json', 'utf8')).scripts.capacity
  t.equal(script, 'tsx bench/capacity/main.ts')
  const start = (...args: string[]) =>
    spawnSync(process.execPath, ['--import=tsx', 'bench/capacity/main.ts', ...args], { encoding: 'utf8' })
  const help = start('--help')
  t.equal(help.status, 0)
  t.match(help.stdout, /^Usage: npm run --silent capacity -- \[options\]/u)
  t.equal(start('--users', '1000').stdout, run('--users', '1000').out)
  t.equal(start('--users', '9000000').status, 1)
  t.equal(start('--users', '-1').status, 2)
})
