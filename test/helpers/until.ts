import { setTimeout as pause } from 'node:timers/promises'

/**
 * Resolves once the condition holds, and rejects after `ms` with the condition's own source. It looks again and again:
 * a socket, a file or another process tells nobody when it is done.
 */
export async function until(condition: () => unknown, ms = 20_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not so within ${ms} ms: ${condition}`)
    await pause(2)
  }
}
