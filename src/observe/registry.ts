import { collectDefaultMetrics, Registry } from 'prom-client'

/** All metrics of one service. */
export type { Registry }

/** For the metrics of a service. */
export const createRegistry = (): Registry => new Registry()

/** The same with the metrics of this process, such as its memory and its event loop. */
export function createProcessRegistry(): Registry {
  const registry = createRegistry()
  collectDefaultMetrics({ register: registry })
  return registry
}
