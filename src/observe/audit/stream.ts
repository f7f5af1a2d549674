import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FastifyBaseLogger } from 'fastify'
import { type DestinationStream, pino } from 'pino'

/** Where audit lines go. */
export type AuditStream = Readonly<{
  /** Never throws, and never waits for the disk. */
  write(line: string): void
  /** For a file that was renamed: goes on in a new one of the old name. */
  reopen(): Promise<void>
  /** Resolves when all lines are written, or cannot be. */
  close(): Promise<void>
}>

type Dependencies = Readonly<{ logger: Pick<FastifyBaseLogger, 'error' | 'info'>; onLost: () => void }>

/** What waits for a disk or a reader that is slow or full, before lines are given up: some 10,000 events. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** Only the service's own user reads it. One that exists already keeps its mode. */
const MODE = 0o600

/** Standard output, for log and audit alike: lines of two streams could run into each other. It never blocks. */
export function createStdout(): Destination {
  return endable(pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES }))
}

type Destination = ReturnType<typeof pino.destination>

/** At exit pino flushes, and while a disk is full it would try that for ever. */
function endable(destination: Destination): Destination {
  const { flushSync } = destination
  destination.on('error', () => {
    destination.flushSync = () => {}
  })
  destination.on('drain', () => {
    destination.flushSync = flushSync
  })
  return destination
}

/** Lines among those of the log. The destination belongs to somebody else, who closes it. */
export function stdoutStream(destination: DestinationStream, { onLost }: Pick<Dependencies, 'onLost'>): AuditStream {
  let broken = false
  if ('on' in destination && typeof destination.on === 'function') {
    destination.on('drop', (text: string) => {
      if (text.startsWith(START)) onLost()
    })
    // pino writes nothing after it.
    destination.on('error', ({ code }: NodeJS.ErrnoException) => {
      broken ||= code === 'EPIPE'
    })
  }
  return {
    write(line) {
      if (broken) onLost()
      else destination.write(`${line}\n`)
    },
    reopen: async () => {},
    close: async () => {},
  }
}

/** The start of every line of the audit, and of no line of the log. */
export const START = '{"specversion":"1.0",'

/**
 * @throws if it is no regular file that can be appended to: writing to a pipe would wait for its reader
 */
export async function requireAppendable(path: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
  const file = await open(path, flags, MODE)
  try {
    if (!(await file.stat()).isFile()) throw Object.assign(new Error('not a regular file'), { code: 'ENOTREG' })
  } finally {
    await file.close()
  }
}

/**
 * A file. While it cannot be written, lines wait in memory and each new one tries again; beyond a limit they are lost.
 * The path must have passed {@link requireAppendable}.
 */
export function fileStream(path: string, { logger, onLost }: Dependencies): AuditStream {
  const options = { append: true, mode: MODE, sync: false, maxLength: MAX_WAITING_BYTES }
  const file = endable(pino.destination({ dest: path, ...options }))
  let failing = false
  let closed = false
  file.on('error', (error: NodeJS.ErrnoException) => {
    if (!failing) logger.error({ error }, 'audit events cannot be written: they wait in memory')
    failing = true
  })
  file.on('drop', onLost)
  file.on('drain', () => {
    if (failing) logger.info('audit events are written again')
    failing = false
  })
  return {
    write(line) {
      if (closed) onLost()
      else file.write(`${line}\n`)
    },
    async reopen() {
      try {
        // A reopen that fails would later close a file that is somebody else's by then.
        await requireAppendable(path)
        file.reopen()
      } catch (error) {
        logger.error({ error }, 'the audit file cannot be opened again: events go on into the old one')
      }
    },
    close: () =>
      new Promise((resolve) => {
        closed = true
        file.once('close', resolve)
        file.once('error', (error) => {
          logger.error({ error }, 'audit events are lost: they could not be written before the end')
          file.destroy()
          resolve()
        })
        file.end()
      }),
  }
}
