import { Writable } from 'node:stream'
import type { Logger } from 'pino'
import { createLogger } from '../../src/observe/log.ts'

/** A logger at `trace` whose every line is kept. */
export function captureLogs(): { logger: Logger; text: () => string; lines: () => Record<string, unknown>[] } {
  const chunks: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  const text = () => chunks.join('')
  return {
    logger: createLogger('trace', destination),
    text,
    lines: () =>
      text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  }
}
