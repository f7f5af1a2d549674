/** How far apart clocks are when it is told: the strictest servers refuse signatures from five minutes on. */
const TOLD_SECONDS = 300

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * How far another's clock is ahead of ours, by the `Date` of its answers. Anyone between it and us can write that header,
 * so it serves this diagnosis and nothing else: no signature and no expiration depends on it.
 */
export type ClockOffset = Readonly<{
  /** Call it when a request leaves, and the function that it returns with the headers of the answer. */
  start(): (headers: Headers) => number | undefined
  /** Whole seconds, by the last answer that told the time; negative when ours is ahead. */
  seconds(): number | undefined
}>

export function createClockOffset(now: () => number): ClockOffset {
  let last: number | undefined
  return {
    start() {
      const sentAt = now()
      return (headers) => {
        const offset = offsetOf(headers, sentAt, now())
        if (offset !== undefined) last = offset
        return offset
      }
    },
    seconds: () => last,
  }
}

/** The least difference that explains the answer: its date is of some instant between these two, cut to the second. */
function offsetOf({ date, age }: Headers, sentAt: number, receivedAt: number): number | undefined {
  // A cache tells the time at which it stored the answer.
  if (typeof date !== 'string' || age !== undefined) return undefined
  const written = Date.parse(date)
  // The only form that servers may write (RFC 9110), and no date that does not exist.
  if (Number.isNaN(written) || new Date(written).toUTCString() !== date) return undefined
  const ahead = Math.max(written - receivedAt, 0) + Math.min(written + 999 - sentAt, 0)
  return Math.trunc(ahead / 1000)
}

/** For a log line or a page of diagnosis; undefined while the clocks agree, or nothing is known. */
export function clockFault(seconds: number | undefined): { clockOffsetSeconds: number; hint: string } | undefined {
  if (seconds === undefined || Math.abs(seconds) < TOLD_SECONDS) return undefined
  const minutes = Math.round(Math.abs(seconds) / 60)
  const side = seconds > 0 ? 'behind' : 'ahead of'
  const hint = `the clock of this machine is ${minutes} minutes ${side} the clock of STS, and STS refuses signatures of another time: check the time service (NTP) of this machine`
  return { clockOffsetSeconds: seconds, hint }
}
