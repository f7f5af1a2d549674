import { type Denial, type DenyFault, type DenyFile, MAX_FILE_BYTES, parseDenials } from '../config/deny-file.ts'
import { readSmallFile } from '../lib/small-file.ts'
import type { Reloader } from './reloads.ts'

type Dependencies = Readonly<{
  issuerNames: readonly string[]
  report: Readonly<{
    /** The file cannot be used: its old entries stay. */
    stale(source: 'file', faults: readonly DenyFault[] | string): void
    good(source: 'file'): void
  }>
  /** Puts the entries of a good file in force. */
  take: (denials: readonly Denial[]) => void
}>

/** Number of equal reads after which a file counts as completely written. */
const SETTLED_LOOKS = 2

/**
 * Reads the file of the denylist again when it changes. A file that is bad, empty or missing lifts nothing: the old
 * entries stay until it is good again.
 */
export function watchDenyFile(file: DenyFile, { issuerNames, report, take }: Dependencies): Reloader {
  let inUse = file.text
  let seen: Readonly<{ text: string | undefined }> = { text: inUse }
  let looks = 0
  let refused = false

  return async (why) => {
    const text = await readSmallFile(file.path, MAX_FILE_BYTES).catch(() => undefined)
    if (text === inUse) {
      report.good('file')
      looks = 0
      seen = { text }
      return
    }
    if (text !== seen.text || looks === 0) {
      seen = { text }
      looks = 0
      refused = false
    }
    looks++
    if (why === 'clock' && (refused || looks < SETTLED_LOOKS)) return
    const read = text === undefined ? undefined : parseDenials(text, issuerNames)
    if (text !== undefined && read && 'denials' in read) {
      inUse = text
      report.good('file')
      take(read.denials)
      return
    }
    refused = true
    report.stale('file', read && 'faults' in read ? read.faults : 'DENY_FILE is missing, empty, or cannot be read')
  }
}
