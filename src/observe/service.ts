import { Gauge, type Registry } from 'prom-client'

/** Shows whether the service is ready for traffic. */
export function showReady(registry: Registry, ready: () => boolean): void {
  new Gauge({
    name: 'oss_vend_ready',
    help: '1 while the service is ready for traffic, as /readyz tells.',
    registers: [registry],
    collect() {
      this.set(ready() ? 1 : 0)
    },
  })
}

type Key = Readonly<{ keyCreatedAt: () => number | undefined }>

/** Shows how old the long-lived key of each target is. */
export function showKeyAges(registry: Registry, keys: ReadonlyMap<string, Key>, now: () => number): void {
  new Gauge({
    name: 'oss_vend_sts_key_age_seconds',
    help: "Seconds since the long-lived key of a target's STS was created, or replaced an older one; absent if unknown.",
    labelNames: ['target'],
    registers: [registry],
    collect() {
      for (const [target, { keyCreatedAt }] of keys) {
        const created = keyCreatedAt()
        if (created !== undefined) this.set({ target }, Math.max(0, now() - created) / 1000)
      }
    },
  })
}
