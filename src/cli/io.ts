import { styleText } from 'node:util'
import type { Environment } from '../config/environment.ts'

/** The parts of the process that commands use, so that tests can run them without one. */
export type Io = Readonly<{
  env: Environment
  /** Results go to `out`, everything else to `err`. */
  out: (text: string) => void
  err: (text: string) => void
  /** Standard input, for the commands that read it. */
  input?: () => AsyncIterable<string | Uint8Array>
  /** Whether each of them is a terminal. */
  terminal: Readonly<{ out: boolean; err: boolean; input?: boolean }>
}>

/** Ends a command with a text for standard error. Exit code 1: something was found or refused; 2: wrong usage. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2) {
    super(message)
    this.exitCode = exitCode
  }
}

export type Paint = Readonly<Record<'red' | 'green' | 'yellow' | 'bold' | 'dim', (text: string) => string>>

/** ANSI colours for a terminal, and plain text for anything else. */
export function createPaint(colour: boolean): Paint {
  const paint = (format: keyof Paint) => (text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text
  return { red: paint('red'), green: paint('green'), yellow: paint('yellow'), bold: paint('bold'), dim: paint('dim') }
}

/** Prints a result for machines. */
export const writeJson = (io: Io, value: unknown): void =>
  io.out(`${JSON.stringify(value, null, 2).replace(OBEYED, escaped)}\n`)

/** JSON does not escape DEL and C1, which some terminals obey, nor what turns the direction of a text. */
const OBEYED = /[\u007f-\u009f\p{Cf}\u2028\u2029]/gu
const escaped = (text: string) =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** `1 error`, `2 errors`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
