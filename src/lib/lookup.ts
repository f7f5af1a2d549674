import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns'

type Callback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** As `net.connect` takes it. */
export type Lookup = (hostname: string, options: LookupOptions, callback: Callback) => void

/**
 * A look-up that asks once for all who want the same name at the same time.
 *
 * Node gives half of its four threads to look-ups, for the whole process. A name whose servers are silent holds its thread
 * for many seconds, long after the caller has gone: calls to it would take all threads, and no other name would be found.
 */
export function shareLookups(lookup: Lookup = systemLookup): Lookup {
  const running = new Map<string, Callback[]>()
  return (hostname, options, callback) => {
    const key = JSON.stringify([hostname, options])
    const waiting = running.get(key)
    if (waiting) {
      waiting.push(callback)
      return
    }
    const all = [callback]
    running.set(key, all)
    try {
      lookup(hostname, options, (...answer) => {
        running.delete(key)
        for (const one of all) one(...answer)
      })
    } catch (error) {
      running.delete(key)
      throw error
    }
  }
}
