import { VendError } from '../errors.ts'
import type { Clock } from './clock.ts'

/** Waiting that ends when the service does: no timer outlives it, and nobody is left waiting. */
export type Waits = Readonly<{
  /** @throws {VendError} `not_ready` when the service ends meanwhile */
  sleep(ms: number): Promise<void>
  /**
   * What the promise brings within so many milliseconds, else what `late` returns or throws. The promise itself goes on.
   * @throws {VendError} `not_ready` when the service ends meanwhile
   */
  within<T>(promise: Promise<T>, ms: number, late: () => T | Promise<T>): Promise<T>
  /** Ends every wait, and those that are still to come. */
  close(): void
}>

export function createWaits({ after }: Pick<Clock, 'after'>): Waits {
  const stops = new Set<() => void>()
  let closed = false

  function wait<T>(promise: Promise<T> | undefined, ms: number, late: () => T | Promise<T>): Promise<T> {
    if (closed) {
      promise?.catch(() => {})
      return Promise.reject(new VendError('not_ready'))
    }
    return new Promise<T>((resolve, reject) => {
      const end = () => {
        cancel()
        stops.delete(stop)
      }
      const stop = () => {
        end()
        reject(new VendError('not_ready'))
      }
      const cancel = after(ms, () => {
        end()
        resolve(Promise.resolve().then(late))
      })
      stops.add(stop)
      promise?.finally(end).then(resolve, reject)
    })
  }

  return {
    sleep: (ms) => wait<void>(undefined, ms, () => {}),
    within: wait,
    close() {
      closed = true
      for (const stop of stops) stop()
    },
  }
}
