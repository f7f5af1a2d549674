/** How often something has happened in its window, this time included, and how many milliseconds the window has left. */
export type Count = Readonly<{ current: number; ttl: number }>

/** Counts by key, each in a fixed window that opens with the first time. */
export type Windows = Readonly<{
  /** Counts one time, or several at once. */
  hit(key: string, times?: number): Count
  /** Takes over what somebody else has counted, if it is more. */
  adopt(key: string, count: Count): void
  /** Without counting; undefined when no window is open. */
  peek(key: string): Count | undefined
  size(): number
}>

type Options = Readonly<{ windowMs: number; maxKeys: number; now: () => number }>

/**
 * Counts in memory. It never holds more than `maxKeys` windows: whoever comes from ever new addresses makes it forget
 * the windows that opened first, which are the next to close anyway, and costs no more memory.
 */
export function createWindows({ windowMs, maxKeys, now }: Options): Windows {
  // In the order in which they opened, which is the order of a Map whose keys are only ever set anew.
  const windows = new Map<string, { current: number; endsAt: number }>()

  function open(key: string, current: number, ttl: number): Count {
    windows.delete(key)
    windows.set(key, { current, endsAt: now() + ttl })
    let closed = 0
    for (const [oldest, { endsAt }] of windows) {
      // Two at a time, so that what has closed goes faster than new ones come, and no request pays for all of it.
      if (windows.size <= maxKeys && (endsAt > now() || closed === 2)) break
      windows.delete(oldest)
      closed++
    }
    return { current, ttl }
  }

  function find(key: string) {
    const window = windows.get(key)
    const ttl = window ? window.endsAt - now() : 0
    // One that would last longer than windows do was opened before the clock was set back.
    return window && ttl > 0 && ttl <= windowMs ? { window, ttl } : undefined
  }

  return {
    hit(key, times = 1) {
      const found = find(key)
      if (!found) return open(key, times, windowMs)
      found.window.current += times
      return { current: found.window.current, ttl: found.ttl }
    },
    adopt(key, { current, ttl }) {
      const found = find(key)
      if (!found) open(key, current, Math.min(ttl, windowMs))
      else if (current > found.window.current) found.window.current = current
    },
    peek(key) {
      const found = find(key)
      return found && { current: found.window.current, ttl: found.ttl }
    },
    size: () => windows.size,
  }
}
