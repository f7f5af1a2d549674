/** What is known of an AssumeRole call whose expiration is to be read. Epoch milliseconds; duration in seconds. */
export type CallTimes = Readonly<{ requestedAt: number; receivedAt: number; durationSeconds: number }>

// As far apart as STS lets our clocks be, or it would have refused the signature.
const CLOCK_SKEW_MS = 15 * 60_000
const CHINA_OFFSET_MS = 8 * 3_600_000

/**
 * Reads STS's `yyyy-MM-dd HH:mm:ss`, which has no time zone and of which no source says whether it is UTC or +08:00.
 * The request and the granted duration tell what the answer should be near, and the readings are eight hours apart, so
 * at most one fits. When neither does, the result is the earlier reading that is still to come, and never later than
 * what was asked for: a client that believes in a dead session fails worse than one that renews early.
 *
 * @returns epoch milliseconds; undefined when it is not a date or no reading of it is still to come
 */
export function readExpiration(
  text: string,
  { requestedAt, receivedAt, durationSeconds }: CallTimes,
): number | undefined {
  const asUtc = parseUtc(text)
  if (asUtc === undefined) return undefined
  const readings = [asUtc - CHINA_OFFSET_MS, asUtc]
  const duration = durationSeconds * 1000
  const fitting = readings.find(
    (reading) => reading >= requestedAt + duration - CLOCK_SKEW_MS && reading <= receivedAt + duration + CLOCK_SKEW_MS,
  )
  if (fitting !== undefined) return fitting
  const plausible = readings.find((reading) => reading > receivedAt)
  return plausible === undefined ? undefined : Math.min(plausible, requestedAt + duration)
}

function parseUtc(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/u.exec(text)
  if (!match) return undefined
  const iso = `${match[1]}T${match[2]}.000Z`
  const epoch = Date.parse(iso)
  // Date.parse lets 30 February roll over into March; a date that reads back differently was none.
  return Number.isNaN(epoch) || new Date(epoch).toISOString() !== iso ? undefined : epoch
}
