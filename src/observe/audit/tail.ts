import { type FileHandle, open } from 'node:fs/promises'
import { macAtEnd } from './chain.ts'

/** Longer lines are not ours. */
const MOST_BYTES = 1024 * 1024

/** How a file ends that a new run goes on with. */
export type Tail = Readonly<{
  /** The last line is cut: the service before ended while it wrote, or its disk was full. */
  cut: boolean
  /** The `mac` of the last whole line, if it has one. */
  mac: string | undefined
}>

/** @throws if the file cannot be read */
export async function readTail(path: string): Promise<Tail> {
  const file = await open(path, 'r')
  try {
    return await tailOf(file)
  } finally {
    await file.close()
  }
}

async function tailOf(file: FileHandle): Promise<Tail> {
  const { size } = await file.stat()
  const length = Math.min(size, MOST_BYTES)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
  const lines = buffer.subarray(0, bytesRead).toString().split('\n')
  const rest = lines.pop() ?? ''
  return { cut: rest !== '', mac: macAtEnd(lines.pop() ?? '') }
}
