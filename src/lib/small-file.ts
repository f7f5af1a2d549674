import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * The text of a file without white space around it.
 * @throws when the file is empty or is not a regular file of this size
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<string> {
  // Opening a pipe would block until someone writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile() || stat.size > maxBytes) throw new Error('not a small file')
    const content = (await file.readFile('utf8')).trim()
    if (content === '') throw new Error('empty')
    return content
  } finally {
    await file.close()
  }
}
