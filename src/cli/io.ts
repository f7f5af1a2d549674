import type { Environment } from '../config/environment.ts'

/** What a command is given of the process, so that it can run without one. */
export type Io = Readonly<{
  env: Environment
  /** Standard output, and standard error for what is not the result. */
  out: (text: string) => void
  err: (text: string) => void
  /** Whether standard output, and standard error, are terminals. */
  terminal: Readonly<{ out: boolean; err: boolean }>
}>

/** Ends a command with an exit code and words for standard error: 1 for what was found or refused, 2 for wrong usage. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Text in a colour, where that is wanted. */
export type Paint = Readonly<Record<'red' | 'green' | 'yellow' | 'bold' | 'dim', (text: string) => string>>

/** ANSI colours for a terminal, and plain text for anything else. */
export function createPaint(colour: boolean): Paint {
  const code = (start: number, end: number) => (text: string) =>
    colour ? `\u001b[${start}m${text}\u001b[${end}m` : text
  return { red: code(31, 39), green: code(32, 39), yellow: code(33, 39), bold: code(1, 22), dim: code(2, 22) }
}

/** A result for machines. */
export const writeJson = (io: Io, value: unknown): void =>
  // JSON leaves DEL and C1, which some terminals obey, as they are.
  io.out(
    `${JSON.stringify(value, null, 2).replace(/[\u007f-\u009f]/gu, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)}\n`,
  )

/** `1 error`, `2 errors`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
