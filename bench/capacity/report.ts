import { figure, percent } from './figure.ts'
import { busiestMinute, nearest } from './limits.ts'
import type { MostUsers } from './most-users.ts'
import type { Scenario } from './scenario.ts'
import type { Run } from './simulate.ts'
import type { Spread } from './tally.ts'

/** The binding limit in words. Without one: `none`, and the limit that is nearest. */
export function bindingLimit({ limits: { limits, binding }, day }: Run): string {
  const { name, words } = binding ?? nearest(limits)
  if (binding === undefined) return `none (nearest: ${name}, ${words})`
  const refused = day.refusedShare > 0 ? `; ${percent(day.refusedShare)} refused` : ''
  return `${name} (${words}${refused})`
}

/** A table for a terminal. The first and the last column are left-aligned, the figures between them right-aligned. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const last = widths.length - 1
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[0] ?? 0) : at === last ? cell : cell.padStart(widths[at] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The assumptions about users, in one line. */
function told({
  pattern,
  opensPerDay,
  useSeconds,
  mode,
  askSeconds,
  signSeconds,
  templates,
  ...rest
}: Scenario): string {
  const { replicas, sharedCache, accounts, quotaPerSecond } = rest
  const count = (many: number, what: string) => `${figure(many)} ${what}${many === 1 ? '' : 's'}`
  const asks =
    mode === 'sessions'
      ? `credentials requested every ${figure(askSeconds)} s`
      : `a URL signed every ${figure(signSeconds)} s with the sessions of ${count(templates, 'template')}`
  const caches = sharedCache ? 'with a shared cache' : 'with caches of their own'
  return [
    `${pattern}, ${count(opensPerDay, 'open')} a day for ${figure(useSeconds)} s, ${asks}`,
    `${count(replicas, 'replica')} ${caches}, ${count(accounts, 'account')} at ${figure(quotaPerSecond)} calls a second`,
  ].join('\n')
}

/** One run in full. Limits are compared with the busiest minute. */
export function reportOf(run: Run): string {
  const { scenario, day, limits } = run
  const spread = (name: string, { mean, p99, peak }: Spread, scale = 1, last = '') => [
    name,
    figure(mean * scale),
    figure(p99 * scale),
    figure(peak * scale),
    last,
  ]
  const sts = scenario.stsSeconds
  const waits = { mean: day.wait.mean + sts, p99: day.wait.p99 + sts, peak: day.wait.peak + sts }
  const megabytes = (bytes: number) => `${figure(bytes / 1e6)} MB`
  const facts = [
    ['hit rate', percent(day.hitRate)],
    [
      'answered 503',
      `${percent(day.refusedShare)} of the answers; ${percent(day.gaveUpShare)} of the requests failed after all attempts`,
    ],
    [
      'sessions of a replica',
      `${figure(limits.sessionsPerReplica)}, ${megabytes(limits.bytesPerReplica)} (assumed size)`,
    ],
    ...(limits.sharedCacheBytes > 0 ? [['shared cache', `${megabytes(limits.sharedCacheBytes)} (assumed size)`]] : []),
    ...limits.limits.map(({ name, words, used }) => [name, `${percent(used)}: ${words}`]),
    ['binding limit', bindingLimit(run)],
  ]
  return [
    `${figure(scenario.users)} users, sessions of ${figure(scenario.sessionSeconds)} s, ${told(scenario)}`,
    '',
    table([
      ['', 'mean', 'p99', 'peak', ''],
      spread('requests a second', day.asks),
      spread('STS calls wanted a second', day.wanted),
      spread('STS calls made a second', day.calls),
      ...(day.wait.peak > 0 || day.hitRate < 1 ? [spread('wait for STS, ms', waits, 1000)] : []),
    ]),
    '',
    table(facts),
  ].join('\n')
}

/** Several runs, one a line. The rates are those of the busiest minute. */
export function comparison(runs: readonly Run[]): string {
  const [first] = runs
  const rows = runs.map((run) => [
    figure(run.scenario.users),
    figure(run.scenario.sessionSeconds),
    figure(busiestMinute(run.day.seconds.asks)),
    figure(busiestMinute(run.day.seconds.wanted)),
    percent(run.day.hitRate),
    percent(run.day.refusedShare),
    bindingLimit(run),
  ])
  const head = ['users', 'session s', 'requests/s', 'STS wanted/s', 'hits', 'refused', 'binding limit']
  return [...(first ? [told(first.scenario), ''] : []), table([head, ...rows])].join('\n')
}

/** The most users for each session length, and the limit that more users meet. */
export function mostTable(found: readonly MostUsers[]): string {
  const [first] = found
  const rows = found.map(({ fits, over }) => [
    figure(fits.scenario.sessionSeconds),
    figure(fits.scenario.users),
    over === undefined ? 'nothing' : bindingLimit(over),
  ])
  return [
    ...(first ? [told(first.fits.scenario), ''] : []),
    table([['session s', 'most users', 'next limit'], ...rows]),
  ].join('\n')
}
