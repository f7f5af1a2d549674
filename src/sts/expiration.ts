/** What is known of an AssumeRole call whose expiration is to be read. Epoch milliseconds; duration in seconds. */
export type CallTimes = Readonly<{ requestedAt: number; receivedAt: number; durationSeconds: number }>

// As far apart as STS lets our clocks be, or it would have refused the signature.
const CLOCK_SKEW_MS = 15 * 60_000
/** How far ahead of UTC the clock may be that STS writes: no source says which of the two it is. */
const OFFSETS_MS = { utc: 0, china: 8 * 3_600_000 } as const

/** Reads the expirations of one STS. */
export type ExpirationReader = (text: string, times: CallTimes) => number | undefined

/**
 * Reads STS's `yyyy-MM-dd HH:mm:ss`, which has no time zone. The request and the granted duration tell what the answer
 * should be near; the readings are eight hours apart, so for sessions under that only one of them is still to come, and
 * when it also is where it should be, the zone is known from then on. Otherwise the result is the earlier reading that is
 * still to come, and never later than what was asked for: a client that believes in a dead session fails worse than one
 * that renews early.
 *
 * The reader returns epoch milliseconds; undefined when the text is not a date, or no reading of it is still to come.
 */
export function createExpirationReader(): ExpirationReader {
  let zone: keyof typeof OFFSETS_MS | undefined

  return (text, { requestedAt, receivedAt, durationSeconds }) => {
    const written = parseUtc(text)
    if (written === undefined) return undefined
    const asked = requestedAt + durationSeconds * 1000
    const china = written - OFFSETS_MS.china
    const isNear = (reading: number) =>
      reading >= asked - CLOCK_SKEW_MS && reading <= asked + (receivedAt - requestedAt) + CLOCK_SKEW_MS

    // Eight hours later the other reading would have been a session of no time at all.
    const unambiguous = durationSeconds * 1000 + CLOCK_SKEW_MS < OFFSETS_MS.china
    if (unambiguous && isNear(written)) zone = 'utc'
    if (unambiguous && isNear(china)) zone = 'china'
    if (zone && isNear(written - OFFSETS_MS[zone])) return written - OFFSETS_MS[zone]

    const earliest = [china, written].find((reading) => reading > receivedAt)
    return earliest === undefined ? undefined : Math.min(earliest, asked)
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
