import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { startSandbox } from '../../../sandbox/index.ts'
import { sandboxEnvironment } from '../../../sandbox/local.ts'
import { type AppDependencies, buildApp } from '../../../src/app.ts'
import { type Config, readConfig } from '../../../src/config/config.ts'
import type { Environment } from '../../../src/config/environment.ts'
import type { App } from '../../../src/http/fastify.ts'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { environment } from '../../helpers/build.ts'
import { claims, mint } from '../../helpers/tokens.ts'
import { watchedLogger } from './watch.ts'

/** A key to seal with, made for tests. */
const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 5 * index ** 2)).toString('base64')

/**
 * Node's own clock, of which a test can let hours go by at once. Timers run as they always do: it is as if the machine
 * had slept. `step` is somebody who sets the date: no time passes, and STS does not believe it.
 */
export function leapingClock() {
  const system = systemClock()
  let passed = 0
  let stepped = 0
  const running = new Set<object>()
  const clock: Clock = {
    now: () => Date.now() + passed + stepped,
    monotonic: () => system.monotonic() + passed,
    every: system.every,
    after(ms, callback) {
      const timer = {}
      running.add(timer)
      const cancel = system.after(ms, () => {
        running.delete(timer)
        callback()
      })
      return () => {
        running.delete(timer)
        cancel()
      }
    },
  }
  return {
    clock,
    /** Timers that run once. Whatever is under way has one. */
    timers: () => running.size,
    /** What time it really is, epoch milliseconds. */
    truth: () => Date.now() + passed,
    pass(ms: number) {
      passed += ms
    },
    step(ms: number) {
      stepped += ms
    },
  }
}

/** What a caller got, and how long it took, milliseconds. */
export type Answer = Awaited<ReturnType<Rig['vend']>>
export type Rig = Awaited<ReturnType<typeof rig>>

type Options = Readonly<{
  env?: Environment
  /** How many of the service there are. */
  replicas?: number
  dependencies?: (config: Config, clock: Clock) => Partial<AppDependencies>
}>

/** What is answered out of memory takes a millisecond; this is for a machine that has other things to do. */
export const QUICK_MS = 250

/** The whole service, once or several times, on a sandbox with switches; gone with the test. */
export async function rig(t: Test, { env = {}, replicas = 1, dependencies = () => ({}) }: Options = {}) {
  const { clock, truth, pass, step, timers } = leapingClock()
  const sandbox = await startSandbox({ scenario: { clock: truth } })
  t.teardown(() => sandbox.close())
  // The sandbox's own issuer is refused outside of it, so the tests' one stays.
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const sealed = env.REDIS_URL ? { CACHE_ENCRYPTION_KEY: AES_KEY } : {}
  const config = readConfig({ ...environment, AUDIT_LOG: 'none', ...jdcloud, STS_MAX_RPS: '10000', ...sealed, ...env })

  const apps: App[] = []
  const metrics: Registry[] = []
  for (let replica = 0; replica < replicas; replica++) {
    const registry = new Registry()
    const logger = watchedLogger(t)
    const { app } = await buildApp(config, { logger, clock, metrics: registry, ...dependencies(config, clock) })
    t.teardown(() => app.close())
    await app.ready()
    apps.push(app)
    metrics.push(registry)
  }

  async function vend(sub: string, { replica = 0, token = mint(claims({ sub })), ...body }: Ask = {}) {
    const app = apps[replica]
    if (!app) throw new Error(`there is no replica ${replica}`)
    const before = performance.now()
    const response = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${token}` },
      payload: { policy: 'user-upload', ...body },
    })
    const ms = performance.now() - before
    const { code, detail, credentials, grant } = response.json()
    const { 'retry-after': retryAfter, 'content-type': type } = response.headers
    return { sub, ms, status: response.statusCode, type, code, detail, retryAfter, credentials, grant }
  }

  /** Resolves when nothing is under way, in the background either: a leap would be the end of its time. */
  async function idle() {
    for (let quiet = 0; quiet < 5; quiet = timers() === 0 ? quiet + 1 : 0) await delay(1)
  }

  return { clock, truth, pass, step, sandbox, config, apps, metrics, timers, vend, idle }
}

type Ask = Readonly<{ replica?: number; token?: string; minValiditySeconds?: number }>

/** All of these callers at once. */
export const everybody = ({ vend }: Rig, subs: readonly string[], ask?: Ask) =>
  Promise.all(subs.map((sub) => vend(sub, ask)))

/** So many names. */
export const people = (count: number, what = 'caller') => Array.from({ length: count }, (_, n) => `${what}-${n}`)

/** Tries until it is so; fails after so many milliseconds, which are plenty for a machine that is busy. */
export async function within(t: Test, what: string, attempt: () => Promise<boolean> | boolean, ms = 15_000) {
  const start = performance.now()
  while (performance.now() < start + ms) {
    if (await attempt()) {
      t.pass(`${what}, after ${Math.round(performance.now() - start)} ms`)
      return
    }
    await delay(20)
  }
  t.fail(`${what}: not within ${ms} ms`)
}
