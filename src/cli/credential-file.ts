import { createHash, randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import type { Environment } from '../config/environment.ts'

const keptSchema = z.strictObject({
  accessKey: z.string().min(1),
  secretKey: z.string().min(1),
  sessionToken: z.string().min(1),
  /** RFC 3339, UTC. */
  expiration: z.iso.datetime(),
})

/** Credentials as they are kept. */
export type Kept = z.infer<typeof keptSchema>

/** Where the credentials of one question are kept between two runs. */
export type CredentialFile = Readonly<{
  /** The kept credentials, if they have at least 15 minutes left; undefined for anything else that is there. */
  read(): Promise<Kept | undefined>
  /** Resolves with the reason when it could not be written. */
  write(credentials: Kept): Promise<string | undefined>
}>

type Surroundings = Readonly<{ env: Environment; platform: NodeJS.Platform; home: string; now: () => number }>

/** With less left, SDKs fetch anew on every call. */
const LEAST_MS = 15 * 60 * 1000
const MAX_BYTES = 64 * 1024

/**
 * @param question all that decides which credentials come of it; the file is named by its hash
 */
export function createCredentialFile(question: unknown, surroundings: Surroundings): CredentialFile {
  const directory = join(cacheDirectory(surroundings), 'oss-vend')
  const path = join(directory, `${createHash('sha256').update(JSON.stringify(question)).digest('hex')}.json`)
  return {
    read: () => read(path, surroundings.now()).catch(() => undefined),
    async write(credentials) {
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 })
        const stats = await lstat(directory)
        if (!stats.isDirectory() || !isOurs(stats)) return `${directory} is not a directory of this user`
        if (isOpen(stats)) await chmod(directory, 0o700)
        await replace(path, JSON.stringify(credentials))
        return undefined
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
        return `${directory}: ${code}`
      }
    },
  }
}

function cacheDirectory({ env, platform, home }: Surroundings): string {
  if (platform === 'win32') return env.LOCALAPPDATA || join(home, 'AppData', 'Local')
  if (platform === 'darwin') return join(home, 'Library', 'Caches')
  // By the specification of XDG a relative path is to be ignored.
  return env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(home, '.cache')
}

async function read(path: string, now: number): Promise<Kept | undefined> {
  // Not through a link, and not waiting for the other end of a pipe: either may be another's doing.
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await file.stat()
    if (!stats.isFile() || !isOurs(stats) || isOpen(stats) || stats.size > MAX_BYTES) return undefined
    const kept = keptSchema.parse(JSON.parse(await file.readFile('utf8')))
    return Date.parse(kept.expiration) - now >= LEAST_MS ? kept : undefined
  } finally {
    await file.close()
  }
}

/** At once: another run reads the old file or the new one, never a half. */
async function replace(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`
  try {
    const file = await open(unfinished, 'wx', 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** Windows knows no owner here; there, a user's own folder is closed to others by its list of rights. */
const isOurs = ({ uid }: Stats) => process.getuid === undefined || uid === process.getuid()
/** Whether others may read or change it. */
const isOpen = ({ mode }: Stats) => process.getuid !== undefined && (mode & 0o077) !== 0
