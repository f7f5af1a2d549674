import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { VendError } from '../../src/errors.ts'
import { decisionIn, eventOf } from './audit.ts'
import { build } from './build.ts'
import { countingSource } from './vending.ts'

/** The key of the chain. */
export const CHAIN_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i ** 2 + i)).toString('base64')

/** A service with a chained audit in a file. Its STS fails for callers with the names of failures. */
export async function audited(t: Test, env: Record<string, string> = {}, dependencies = {}) {
  const dir = t.testdir({})
  const { source } = countingSource(Date.now)
  const failing = {
    ...source,
    async assumeRole(...args: Parameters<typeof source.assumeRole>) {
      const [{ roleSessionName }] = args
      if (roleSessionName.endsWith('sts-down')) throw new VendError('upstream_unavailable')
      if (roleSessionName.endsWith('sts-denies')) throw new VendError('upstream_denied')
      if (roleSessionName.endsWith('bug')) throw new TypeError('a bug')
      return source.assumeRole(...args)
    },
  }
  const file = `${dir}/audit.log`
  const metrics = new Registry()
  const built = await build(t, {
    env: { AUDIT_LOG: file, AUDIT_CHAIN_KEY: CHAIN_KEY, CORS_ORIGINS: 'https://a.test', ...env },
    dependencies: { source: failing, metrics, ...dependencies },
  })
  // The last one may still be being written.
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1)
  const decisions = () => lines().map(eventOf).flatMap(decisionIn)
  const told = () =>
    decisions().map((data) => (data.outcome === 'issued' ? data.outcome : `${data.outcome} ${data.code}`))
  return { ...built, file, metrics, lines, decisions, told }
}
