import { busiestMinute } from './limits.ts'
import { type Axis, lineChart, type Series } from './line-chart.ts'
import { mostUsers } from './most-users.ts'
import { EVENT_AT } from './pattern.ts'
import { DEFAULTS, type Scenario } from './scenario.ts'
import { simulate } from './simulate.ts'

/** A chart and the file in docs/ that holds it. */
export type Chart = Readonly<{ file: string; svg: string }>

const HOUR = 3600

const decades = (from: number, to: number, label: (power: number) => string) =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ at: 10 ** (from + at), label: label(from + at) }))

const users = (power: number) => `${10 ** (power % 3)}${power >= 6 ? ' M' : power >= 3 ? ' k' : ''}`

/** The charts of docs/capacity.md. */
export const charts = (): readonly Chart[] => [
  { file: 'capacity-users.svg', svg: mostUsersChart() },
  { file: 'capacity-calls.svg', svg: callsChart() },
  { file: 'capacity-push.svg', svg: pushChart() },
]

function mostUsersChart(): string {
  const lengths = [1, 4, 12]
  const line = (name: string, more: Partial<Scenario>): Series => ({
    name,
    marked: true,
    points: lengths.map((hours) => {
      const scenario = { ...DEFAULTS, ...more, sessionSeconds: hours * HOUR }
      return [hours, mostUsers(scenario).fits.scenario.users]
    }),
  })
  return lineChart({
    title: 'Users that one account serves',
    subtitle: '100 AssumeRole calls a second; 4 opens a day for 10 minutes each',
    x: { label: 'session length, hours', from: 0, to: 12.5, ticks: lengths.map((at) => ({ at, label: `${at}` })) },
    y: { label: 'most users', from: 1e4, to: 1e7, log: true, ticks: decades(4, 7, users) },
    series: [
      line('daily wave, shared cache', {}),
      line('daily wave, 12 replicas without shared cache', { replicas: 12, sharedCache: false }),
      line('a push to a tenth of all, shared cache', { pattern: 'push' }),
    ],
  })
}

function callsChart(): string {
  const counts = [1e4, 1e6, 1e8]
  const line = (name: string, more: Partial<Scenario>): Series => ({
    name,
    marked: true,
    points: counts.map((count) => {
      const run = simulate({ ...DEFAULTS, replicas: 12, quotaPerSecond: 1e6, ...more, users: count })
      return [count, busiestMinute(run.day.seconds.wanted)]
    }),
  })
  return lineChart({
    title: 'STS calls that users need',
    subtitle: 'in the busiest minute of a daily wave; 12 replicas; 4 opens a day for 10 minutes each',
    x: { label: 'users', from: 1e4, to: 1e8, log: true, ticks: decades(4, 8, users) },
    y: { label: 'AssumeRole calls a second', from: 0.01, to: 1e5, log: true, ticks: decades(-2, 5, decimal) },
    series: [
      line('sessions of 1 h, no shared cache', { sharedCache: false }),
      line('sessions of 1 h, shared cache', {}),
      line('sessions of 12 h, shared cache', { sessionSeconds: 12 * HOUR }),
      line('signed URLs, sessions of 1 h', { mode: 'signed-urls' }),
      { name: 'quota of one account: 100 a second', dashed: true, points: counts.map((count) => [count, 100]) },
    ],
  })
}

const decimal = (power: number) => (power < 0 ? (10 ** power).toFixed(-power) : (10 ** power).toLocaleString('en-GB'))

function pushChart(): string {
  const [from, to, step] = [EVENT_AT - 120, EVENT_AT + 600, 10]
  const line = (name: string, of: 'wanted' | 'refused', sessionSeconds: number, dashed: boolean): Series => {
    const { seconds } = simulate({ ...DEFAULTS, pattern: 'push', sessionSeconds }).day
    const points = Array.from({ length: (to - from) / step }, (_, at): readonly [number, number] => {
      const start = from + at * step
      const total = seconds[of].subarray(start, start + step).reduce((sum, value) => sum + value, 0)
      return [(start + step / 2 - EVENT_AT) / 60, total / step]
    })
    return { name, points, dashed }
  }
  const y: Axis = {
    label: 'a second',
    from: 0,
    to: 5000,
    ticks: [0, 1000, 2000, 3000, 4000, 5000].map((at) => ({ at, label: at.toLocaleString('en-GB') })),
  }
  return lineChart({
    title: 'A push notification at noon',
    subtitle: '1 million users, a tenth of them in one minute; one account at 100 calls a second',
    x: {
      label: 'minutes after the notification',
      from: -2,
      to: 10,
      ticks: [-2, 0, 2, 4, 6, 8, 10].map((at) => ({ at, label: `${at}` })),
    },
    y,
    series: [
      line('STS calls wanted, sessions of 1 h', 'wanted', HOUR, false),
      line('STS calls wanted, sessions of 12 h', 'wanted', 12 * HOUR, false),
      line('answered 503, sessions of 1 h', 'refused', HOUR, true),
      line('answered 503, sessions of 12 h', 'refused', 12 * HOUR, true),
    ],
  })
}
