import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Whether a directory's entry counts as a template. */
export const isTemplateFile = (entry: string): boolean => /^[^.].*\.(?:ya?ml|json)$/su.test(entry)

/** Files read in parallel; more do not help, since libuv has four threads. */
const AT_ONCE = 32

/**
 * A hash of a directory's names and of each file's inode, size and times, so that a change shows. It follows links, since
 * Kubernetes updates a ConfigMap by replacing a link.
 */
export async function fingerprint(directory: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    // Other files, such as an editor's swap file, may change at will.
    const names = (await readdir(directory)).filter(isTemplateFile).sort()
    for (let start = 0; start < names.length; start += AT_ONCE) {
      const looks = await Promise.all(
        names.slice(start, start + AT_ONCE).map(async (name) => {
          const status = await stat(join(directory, name), { bigint: true }).catch(() => undefined)
          return [name, status && `${status.dev} ${status.ino} ${status.size} ${status.mtimeNs} ${status.ctimeNs}`]
        }),
      )
      hash.update(JSON.stringify(looks))
    }
  } catch {
    hash.update('not readable')
  }
  return hash.digest('base64url')
}
