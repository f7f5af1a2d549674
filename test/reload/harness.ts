import { Registry } from 'prom-client'
import type { Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { build } from '../helpers/build.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, mint } from '../helpers/tokens.ts'

export const POLL_MS = 2000

/** The app. It looks at its files only when the test says so. */
export async function start(t: Test, env: Environment, { realSts = false } = {}) {
  const timers = manualTimers()
  const metrics = new Registry()
  const built = await build(t, { env, realSts, dependencies: { clock: timers.clock, metrics } })
  await built.app.ready()
  const looks = async (times: number) => {
    for (let i = 0; i < times; i++) await timers.tick(POLL_MS)
  }
  const status = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await built.app.inject({ url: '/v1/policies', headers })).statusCode
  }
  let callers = 0
  /** A vend by a new caller, unless one is given, because a cached session causes no call. */
  const vend = async (sub = `caller-${++callers}`) => {
    const headers = { authorization: `Bearer ${mint(claims({ sub }))}` }
    const payload = { policy: 'user-upload' }
    return (await built.app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })).statusCode
  }
  const reloads = async (secret: string, result: string) => {
    const { values } = (await metrics.getMetricsAsJSON()).find(
      ({ name }) => name === 'oss_vend_secret_reloads_total',
    ) ?? { values: [] }
    return values.find(({ labels }) => labels.secret === secret && labels.result === result)?.value ?? 0
  }
  return { ...built, metrics, timers, looks, status, vend, reloads }
}
