/** Times of the AssumeRole call whose expiration is read. Epoch milliseconds; duration in seconds. */
export type CallTimes = Readonly<{ requestedAt: number; receivedAt: number; durationSeconds: number }>

// As far apart as STS lets our clocks be, or it would have refused the signature.
const CLOCK_SKEW_MS = 15 * 60_000
/** How far ahead of UTC the clock may be that STS writes: no source says which of the two it is. */
const OFFSETS_MS = { UTC: 0, '+08:00': 8 * 3_600_000 } as const

/** JD Cloud grants no session under an hour. */
const SHORTEST_MS = 3_600_000 - CLOCK_SKEW_MS

/** The zones that STS may write expirations in. */
export type TimeZone = keyof typeof OFFSETS_MS
export const TIME_ZONES = ['UTC', '+08:00'] as const satisfies readonly TimeZone[]

/**
 * The longest session whose expiration tells its zone. Of a longer one that STS cut short, the wrong reading may look like
 * the whole session.
 */
export const UNAMBIGUOUS_SECONDS = (OFFSETS_MS['+08:00'] - CLOCK_SKEW_MS) / 1000 - 1

/** Told when the zone becomes known, and the first time that an expiration does not fit what is known. */
export type ZoneReport = (event: 'learned' | 'contradicted', zone: TimeZone | undefined) => void

/** Reads the expirations of one STS. */
export type ExpirationReader = Readonly<{
  /** The zone that was set, or learned from answers; undefined until then. */
  zone(): TimeZone | undefined
  /**
   * The session to ask for in place of one of this length: while the zone is unknown, or the last answer contradicts it, no
   * longer than can be read.
   */
  askable(durationSeconds: number): number
  /** Epoch milliseconds; undefined when the text is not a date, or no reading of it is still to come. */
  read(text: string, times: CallTimes): number | undefined
}>

/**
 * Reads STS's `yyyy-MM-dd HH:mm:ss`, which has no time zone. The request and the granted duration tell what the answer
 * should be near. The two readings are eight hours apart: of a session under that only one of them is still to come, and
 * when it also is where it should be, the zone is known from then on.
 *
 * A zone that was set is believed, also of a session that STS cut short. An expiration that does not fit the zone is read
 * as the earlier one that is still to come, and never later than what was asked for: a client that believes in a dead
 * session fails worse than one that renews early.
 */
export function createExpirationReader(
  set: TimeZone | 'auto' = 'auto',
  report: ZoneReport = () => {},
): ExpirationReader {
  let zone = set === 'auto' ? undefined : set
  let contradicted = false

  function learn(learned: TimeZone): void {
    if (zone !== learned) report('learned', learned)
    zone = learned
  }

  function contradict(): void {
    if (!contradicted) report('contradicted', zone)
    contradicted = true
  }

  return {
    zone: () => zone,
    askable: (durationSeconds) =>
      zone && !contradicted ? durationSeconds : Math.min(durationSeconds, UNAMBIGUOUS_SECONDS),
    read(text, { requestedAt, receivedAt, durationSeconds }) {
      const written = parseUtc(text)
      if (written === undefined) return undefined
      const asked = requestedAt + durationSeconds * 1000
      const readAs = (one: TimeZone) => written - OFFSETS_MS[one]
      const near = TIME_ZONES.find(
        (one) =>
          readAs(one) >= asked - CLOCK_SKEW_MS && readAs(one) <= asked + (receivedAt - requestedAt) + CLOCK_SKEW_MS,
      )

      if (near && set === 'auto' && durationSeconds <= UNAMBIGUOUS_SECONDS) learn(near)
      if (near && near === zone) {
        contradicted = false
        return readAs(near)
      }
      // A reading that fits the other zone to the minute tells of a wrong setting, and so does a session of no use.
      const cutShort = set !== 'auto' && !near && readAs(set) > receivedAt + SHORTEST_MS && readAs(set) < asked
      if (cutShort) return readAs(set)
      contradict()
      const earliest = [readAs('+08:00'), readAs('UTC')].find((reading) => reading > receivedAt)
      return earliest === undefined ? undefined : Math.min(earliest, asked)
    },
  }
}

function parseUtc(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/u.exec(text)
  if (!match) return undefined
  const iso = `${match[1]}T${match[2]}.000Z`
  const epoch = Date.parse(iso)
  // Date.parse lets 30 February roll over into March; a date that reads back differently was none.
  return Number.isNaN(epoch) || new Date(epoch).toISOString() !== iso ? undefined : epoch
}
