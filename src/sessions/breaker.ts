import { Shed } from './shed.ts'

/** Stops asking an upstream that keeps failing, and finds out one call at a time whether it is back. */
export type Breaker = Readonly<{
  /** Milliseconds until a call may be tried; 0 when it may be now. */
  waitMs(): number
  state(): 'closed' | 'half_open' | 'open'
  /** @throws {Shed} while no call may be tried */
  check(): void
  /**
   * Runs a call; what `isFailure` says of its error is counted.
   * @throws {Shed} while no call may be tried
   */
  run<T>(call: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T>
}>

type Options = Readonly<{
  /** Failures in a row that open it. */
  failures: number
  /** Milliseconds from opening until the first probe. */
  openMs: number
  /** How long those that meet a running probe are told to wait, milliseconds. */
  probeMs: number
  monotonic: () => number
  /** Told when it opens for the first time, and when it closes again. */
  onOpen: () => void
  onClose: () => void
}>

/**
 * Closed, it counts failures in a row; open, it refuses; half open, one call probes and the others are refused at once.
 *
 * Our own and not cockatiel's for three reasons, each of them a promise of this service: cockatiel measures by
 * `Date.now`, so a clock set back by an hour would keep it open for an hour; callers that meet a running probe wait for
 * its end, seconds with a dead STS, where an answer inside 50 ms is promised; and it cannot tell how long it will stay open.
 */
export function createBreaker({ failures, openMs, probeMs, monotonic, onOpen, onClose }: Options): Breaker {
  let failed = 0
  let openUntil: number | undefined
  let probing = false

  const waitMs = () => {
    if (openUntil === undefined) return 0
    return probing ? probeMs : Math.max(0, openUntil - monotonic())
  }

  const check = () => {
    const wait = waitMs()
    if (wait > 0) throw new Shed('breaker', wait)
  }

  const succeeded = () => {
    failed = 0
    if (openUntil !== undefined) onClose()
    openUntil = undefined
  }
  const hasFailed = (probe: boolean) => {
    failed += 1
    if (!probe && failed < failures) return
    if (openUntil === undefined) onOpen()
    openUntil = monotonic() + openMs
  }

  return {
    waitMs,
    check,
    state: () => (openUntil === undefined ? 'closed' : probing || monotonic() >= openUntil ? 'half_open' : 'open'),
    async run(call, isFailure) {
      check()
      const probe = openUntil !== undefined
      if (probe) probing = true
      // A call that began before the breaker opened says nothing about now.
      const counts = () => probe || openUntil === undefined
      try {
        const result = await call()
        if (counts()) succeeded()
        return result
      } catch (error) {
        if (counts()) isFailure(error) ? hasFailed(probe) : succeeded()
        throw error
      } finally {
        if (probe) probing = false
      }
    },
  }
}
