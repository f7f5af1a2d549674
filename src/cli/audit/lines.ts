import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { START } from '../../observe/audit/stream.ts'
import { CommandError, type Io } from '../io.ts'

/** One line of an audit file. */
export type Line = Readonly<{
  text: string
  file: string
  /** From 1. */
  number: number
  /** False for a line without an end: a writer died, or is still there. */
  whole: boolean
}>

/** Standard input, as a file. */
const STDIN = '-'
/** A request for a hundred long keys makes a line of some 400 kB. */
const MAX_CHARACTERS = 4 * 1024 * 1024

/**
 * The lines of all files, as one text: a file that was rotated while its disk was full ends in the middle of a line, and
 * the next one has the rest.
 * @throws {CommandError} for a file that cannot be read
 */
export async function* linesOf(io: Io, files: readonly string[]): AsyncGenerator<Line> {
  let carried: Line | undefined
  for (const file of files) {
    for await (const line of linesOfFile(io, file)) {
      if (carried && line.number === 1 && !line.text.startsWith(START)) {
        yield { ...carried, text: carried.text + line.text, whole: line.whole }
        carried = undefined
        continue
      }
      if (carried) yield carried
      carried = line.whole ? undefined : line
      if (line.whole) yield line
    }
  }
  if (carried) yield carried
}

async function* linesOfFile({ input }: Io, file: string): AsyncGenerator<Line> {
  let number = 0
  let rest = ''
  try {
    const bytes = file === STDIN ? (input?.() ?? []) : contentOf(file)
    const decoder = new TextDecoder()
    for await (const chunk of bytes) {
      rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) yield { text, file, number: ++number, whole: true }
      if (rest.length > MAX_CHARACTERS) throw new CommandError(`${file} has a line that is too long`, 2)
    }
  } catch (error) {
    if (error instanceof CommandError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error'
    throw new CommandError(`${file} cannot be read: ${code}`, 2)
  }
  if (rest !== '') yield { text: rest, file, number: ++number, whole: false }
}

function contentOf(file: string) {
  const stream = createReadStream(file)
  if (!file.endsWith('.gz')) return stream
  const unzip = createGunzip()
  stream.on('error', (error) => unzip.destroy(error))
  return stream.pipe(unzip)
}

/** Oldest first, by their first events: shells sort `audit.log` before `audit.log.1`. */
export async function inOrder(io: Io, files: readonly string[]): Promise<string[]> {
  const times = new Map<string, string>()
  for (const file of new Set(files)) if (file !== STDIN) times.set(file, await firstTime(io, file))
  const timeOf = (file: string) => times.get(file) ?? ''
  return [...new Set(files)].toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
}

async function firstTime(io: Io, file: string): Promise<string> {
  for await (const { text } of linesOfFile(io, file)) {
    const time = timedSchema.safeParse(parsed(text)).data?.time
    if (time !== undefined) return time
  }
  return ''
}

const timedSchema = z.looseObject({ specversion: z.literal('1.0'), time: z.iso.datetime() })

/** The value of a JSON text; undefined for any other. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
