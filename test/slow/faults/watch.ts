import { Writable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Logger } from 'pino'
import type { Test } from 'tap'
import { SANDBOX_KEYS } from '../../../sandbox/world.ts'
import { createLogger } from '../../../src/observe/log.ts'

/** A logger that keeps nothing, so that it does not look like a leak, and fails the test at a secret or a token. */
export function watchedLogger(t: Test): Logger {
  const leaks: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      const line = String(chunk)
      if (line.includes(SANDBOX_KEYS.testIam.secretKey) || /eyJ[\w-]{8,}\.[\w-]{8,}/u.test(line)) leaks.push(line)
      done()
    },
  })
  t.teardown(() => {
    if (leaks.length > 0) throw new Error('a log line has a secret')
  })
  return createLogger('trace', destination)
}

/** Whatever nobody caught in this process from now on. */
export function watchCrashes(): readonly unknown[] {
  const crashes: unknown[] = []
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (error) => {
      crashes.push(error)
      // Also when it comes after the last test has looked.
      process.exitCode = 1
    })
  }
  return crashes
}

const MB = 1024 * 1024

/** What this process holds once its garbage is gone, MB: objects, and buffers beside them. */
export function memoryMb(): () => number {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new Error('there is no gc')
  return () => {
    gc()
    gc()
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / MB
  }
}
