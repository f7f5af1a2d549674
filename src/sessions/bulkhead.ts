import { VendError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Bookings } from './bookings.ts'
import { createLines } from './lines.ts'
import { Shed } from './shed.ts'

/** `until` by the monotonic clock: a call that has not begun by then does not begin. `owner` tells callers apart. */
export type Turn = Readonly<{ owner: string; until: number; background: boolean }>

/** A number of calls at a time; others wait in line, if they can be served in time. */
export type Bulkhead = Readonly<{
  /**
   * Runs the call when it is its turn.
   * @throws {Shed} when the turn cannot come, or did not come, in time
   * @throws {VendError} `not_ready` when the queue is closed
   */
  run<T>(call: () => Promise<T>, turn: Turn): Promise<T>
  /** Milliseconds after which an owner who is turned away should ask again. */
  comeAgainMs(owner: string): number
  /** Calls that run, and calls that wait. */
  load(): Readonly<{ running: number; queued: number }>
  /** Turns away all who wait, and everybody who still comes. */
  close(): void
}>

type Options = Readonly<{
  limit: number
  /** Calls a second that may begin. */
  perSecond: number
  /** Most that anybody waits. */
  deadlineMs: number
  /** How long a call holds its place, by the last calls; 0 while nothing is known. */
  callMs: () => number
  clock: Pick<Clock, 'after' | 'monotonic'>
  bookings: Bookings
}>
type Waiter = Turn & Readonly<{ start: () => void; leave: () => void; refuse: (error: VendError) => void }>
type Place = Readonly<{ since: number }>

/** How much slower calls must have become for those who wait to be looked through. */
const SLOWER = 1.1

/**
 * Owners are served in turns, so that one with many calls keeps none with a single call waiting for longer than a round.
 * A call that surely comes too late is refused at once; the last in line is, when another owner's first call takes its
 * time away.
 *
 * While callers are expected who were told to come again, the second half of the line is theirs.
 *
 * `background` calls never wait and leave half of the places free: they are for callers who already have a session, and
 * must not stand in the way of those who have none.
 */
export function createBulkhead({ limit, perSecond, deadlineMs, callMs, clock, bookings }: Options): Bulkhead {
  const { monotonic } = clock
  const lines = createLines<Waiter>()
  // In the order in which they began, which is also that in which they will probably end.
  const running = new Set<Place>()
  let plannedMs = 0
  let closed = false

  function forecast() {
    const now = monotonic()
    const places = [...running]
    // Calls that run for longer than the last ones did tell that STS has become slower.
    const middle = places[Math.floor(places.length / 2)]
    const ms = Math.max(callMs(), middle && places.length === limit ? now - middle.since : 0)
    const startsIn = (position: number) => {
      const before = places[position % limit]
      if (!before) return 0
      const free = Math.max(0, before.since + ms - now) + Math.floor(position / limit) * ms
      return Math.max(free, (position * 1000) / perSecond)
    }
    const fits = (position: number, until: number, share = 1) => {
      const spareMs = until - now - ms
      return spareMs >= 0 && startsIn(position) <= spareMs * share
    }
    return { ms, startsIn, fits }
  }

  function comeAgainMs(owner: string): number {
    const { ms, startsIn } = forecast()
    // The line is then half empty, which leaves room for those who come a little early or late.
    const half = Math.max(0, (deadlineMs - ms) / 2)
    return bookings.book(owner, Math.max(0, startsIn(lines.size()) - half), Math.max(1000 / perSecond, ms / limit))
  }

  const noTurn = (owner: string) => new Shed('queue', comeAgainMs(owner))

  /** From the end of the line. */
  function refuseWhoIsTooLate(): void {
    const { fits } = forecast()
    const waiting = lines.inOrder()
    const last = waiting.findLastIndex(({ until }, position) => fits(position, until))
    const late = waiting.slice(last + 1)
    for (const { leave } of late) leave()
    for (const { owner, refuse } of late) refuse(noTurn(owner))
  }

  function take(): Place {
    const place = { since: monotonic() }
    running.add(place)
    return place
  }

  async function turnOf(turn: Turn): Promise<Place> {
    const { owner, until, background } = turn
    if (closed) throw new VendError('not_ready')
    if (running.size < (background ? Math.ceil(limit / 2) : limit)) return take()
    if (background) throw new Shed('queue', 0)
    if (!forecast().fits(lines.ahead(owner), until, bookings.share(owner))) throw noTurn(owner)
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancel()
        lines.remove(waiter)
      }
      const waiter: Waiter = {
        ...turn,
        leave,
        // The place is handed over, so that nobody who comes now can slip in between.
        start: () => {
          leave()
          resolve(take())
        },
        refuse: (error) => {
          leave()
          reject(error)
        },
      }
      const cancel = clock.after(until - monotonic(), () => {
        leave()
        reject(noTurn(owner))
      })
      lines.add(waiter)
      if (lines.size() > lines.owners()) refuseWhoIsTooLate()
    })
  }

  function handOver(place: Place): void {
    running.delete(place)
    lines.next()?.start()
    const ms = callMs()
    if (ms > plannedMs * SLOWER) refuseWhoIsTooLate()
    else if (ms > plannedMs) return
    plannedMs = ms
  }

  return {
    async run(call, turn) {
      const place = await turnOf(turn)
      if (!turn.background) bookings.forget(turn.owner)
      try {
        return await call()
      } finally {
        handOver(place)
      }
    },
    comeAgainMs,
    load: () => ({ running: running.size, queued: lines.size() }),
    close() {
      closed = true
      for (const { refuse } of lines.inOrder()) refuse(new VendError('not_ready'))
    },
  }
}
