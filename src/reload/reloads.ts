import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../lib/clock.ts'

/**
 * Reads something again that may have changed: by the clock, or because the operator asked. If the operator asked, the
 * files are complete. The reloader logs its own result.
 */
export type Reloader = (why: 'clock' | 'asked') => Promise<void>

/** Everything that the service reads again while it runs. */
export type Reloads = Readonly<{
  start: () => void
  /** Reads all of it now. */
  reload: () => Promise<void>
  close: () => void
}>

/**
 * The service polls files instead of watching them. Kubernetes and editors rename files, which leaves fs.watch with a
 * deleted file; network file systems send it no events.
 */
const INTERVAL_MS = 2000

type Dependencies = Readonly<{ logger: FastifyBaseLogger; clock: Pick<Clock, 'every'> }>

export function createReloads(reloaders: readonly Reloader[], { logger, clock }: Dependencies): Reloads {
  let stop: (() => void) | undefined
  let running: Promise<void> = Promise.resolve()
  let waiting = 0

  // One after the other, so that two looks never test the same pair of keys at the same time.
  function run(why: 'clock' | 'asked'): Promise<void> {
    waiting++
    running = running.then(async () => {
      const results = await Promise.allSettled(reloaders.map((reloader) => reloader(why)))
      for (const result of results) {
        if (result.status === 'rejected') logger.error({ error: result.reason }, 'a reload failed')
      }
      waiting--
    })
    return running
  }

  return {
    start() {
      if (reloaders.length === 0) return
      // A hanging file system must not build up a queue of looks.
      stop ??= clock.every(INTERVAL_MS, () => (waiting === 0 ? run('clock') : undefined))
    },
    reload: () => run('asked'),
    close: () => stop?.(),
  }
}
