import type { Scenario } from './scenario.ts'

export const DAY = 86_400

/** Second of the push notification and of the end of the outage: noon, the peak of the daily wave. */
export const EVENT_AT = DAY / 2

/** Length of a push, and the share of all users who open the app because of it. */
export const PUSH = { share: 0.1, seconds: 60 } as const

/** STS is down for this long before noon. */
export const OUTAGE_SECONDS = 1800

/** Factor on the rate of opens at a second of the day; its mean over the day is 1. */
function shape(pattern: Scenario['pattern'], second: number): number {
  const wave = 1 - 0.8 * Math.cos((2 * Math.PI * second) / DAY)
  switch (pattern) {
    case 'flat':
      return 1
    case 'morning': {
      // Half of all opens lie around eight o'clock, with a standard deviation of one hour.
      const deviation = 3600
      const bell = Math.exp(-((second - 8 * 3600) ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI))
      return 0.5 * wave + 0.5 * bell * DAY
    }
    default:
      return wave
  }
}

/**
 * Rate at which one idle user opens the app, at a second since midnight of the first day. A user in the app cannot open
 * it, so the rate is raised by that share of the day.
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

/** Whether STS answers at this second since midnight of the first day. */
export function stsAnswers({ pattern }: Scenario, second: number): boolean {
  const today = second % DAY
  return pattern !== 'outage' || today < EVENT_AT - OUTAGE_SECONDS || today >= EVENT_AT
}
