import type { Fault } from '../faults.ts'

/** How the sandbox's store behaves: a visitor chooses it, to watch progress or to see what an outage looks like. */
export const STORE_HEALTH = ['normal', 'slow', 'down'] as const
export type StoreHealth = (typeof STORE_HEALTH)[number]

/** Long enough to pause a small upload by hand. */
const SLOW_MS = 1500

/** The fault that makes the store behave so. */
export function faultOf(health: StoreHealth): Fault | undefined {
  if (health === 'slow') return { kind: 'delay', ms: SLOW_MS }
  return health === 'down' ? { kind: 'reset' } : undefined
}
