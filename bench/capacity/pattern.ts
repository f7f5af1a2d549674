import type { Scenario } from './scenario.ts'

export const DAY = 86_400

/** When the push notification goes out, and when STS is back after its outage: at the daily wave's top, noon. */
export const EVENT_AT = DAY / 2

/** A push notification brings this part of all users within so many seconds. */
export const PUSH = { share: 0.1, seconds: 60 } as const

/** STS answers nobody for so long before noon. */
export const OUTAGE_SECONDS = 1800

/** One in the mean over a day: the factor on opens at a second of the day. */
function shape(pattern: Scenario['pattern'], second: number): number {
  const wave = 1 - 0.8 * Math.cos((2 * Math.PI * second) / DAY)
  switch (pattern) {
    case 'flat':
      return 1
    case 'morning': {
      // Half of all opens in a bell around eight o'clock, its deviation an hour.
      const deviation = 3600
      const bell = Math.exp(-((second - 8 * 3600) ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI))
      return 0.5 * wave + 0.5 * bell * DAY
    }
    default:
      return wave
  }
}

/**
 * Opens a second of one user who is not in the app, at a second since midnight of the first day. So that the opens a
 * day come out as asked for, it is raised by the share of the day that the user is in the app and cannot open it.
 */
export function opensPerSecond(scenario: Scenario): (second: number) => number {
  const { pattern, opensPerDay, useSeconds } = scenario
  const base = opensPerDay / DAY / (1 - (opensPerDay * useSeconds) / DAY)
  const push = -Math.log(1 - PUSH.share) / PUSH.seconds
  return (second) => {
    const today = second % DAY
    const pushed = pattern === 'push' && today >= EVENT_AT && today < EVENT_AT + PUSH.seconds
    return base * shape(pattern, today) + (pushed ? push : 0)
  }
}

/** Whether STS answers at a second since midnight of the first day. */
export function stsAnswers({ pattern }: Scenario, second: number): boolean {
  const today = second % DAY
  return pattern !== 'outage' || today < EVENT_AT - OUTAGE_SECONDS || today >= EVENT_AT
}
