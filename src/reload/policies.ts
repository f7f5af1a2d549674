import {
  type Catalogue,
  CatalogueError,
  type CatalogueSettings,
  loadCatalogue,
  type Reload,
} from '../policy/check/catalogue.ts'
import { fingerprint } from '../policy/check/fingerprint.ts'

/** How often a set is read again if it changes during the read. After that, the next look tries again. */
const MAX_READS = 5

/** The templates in use, and how they change while the service runs. */
export type LivePolicies = Readonly<{
  /** The set in use. A vend takes it once, so that it sees the same set from start to end. */
  current(): Catalogue
  /**
   * On request, loads the folder at once. By the clock, loads it when it has changed and then stayed the same for one
   * look: so a half-written set is not loaded, and a refused set is not loaded again until it changes.
   */
  look(why: 'clock' | 'asked'): Promise<void>
}>

/** Looks may take at most this share of the time, so a folder with thousands of files is checked less often. */
const SHARE_OF_LOOKS = 1 / 50
const LONGEST_PAUSE_MS = 10_000

/**
 * Loads the templates of a folder and keeps them up to date. A set is loaded, linted and tested as a whole. A good set
 * replaces the old one; a bad set never does.
 *
 * @param elapsed milliseconds since any moment
 * @throws {CatalogueError} when the first set is bad
 */
export async function createLivePolicies(
  directory: string,
  settings: CatalogueSettings,
  onReload: (reload: Reload) => void,
  elapsed = () => performance.now(),
): Promise<LivePolicies> {
  let looked = await fingerprint(directory)
  let changed = looked
  const first = await loadCatalogue(directory, settings)
  let current = first.catalogue
  let running: Promise<void> | undefined
  onReload({ outcome: 'loaded', ...first })

  /** Whether the set stayed the same while it was read. */
  async function load(): Promise<boolean> {
    const before = await fingerprint(directory)
    const loaded = await loadCatalogue(directory, settings).catch((error: unknown) => {
      if (error instanceof CatalogueError) return error
      // A bug of ours counts as a bad set. Otherwise every look would try again, and nobody would know.
      return refusedAs(directory, `could not be checked: ${error instanceof Error ? error.name : 'unknown error'}`)
    })
    // Someone wrote during the read, so half of it may be from the old set.
    if ((await fingerprint(directory)) !== before) return false
    looked = before
    if (loaded instanceof CatalogueError) {
      onReload({ outcome: 'refused', errors: loaded.findings })
    } else {
      current = loaded.catalogue
      onReload({ outcome: 'loaded', ...loaded })
    }
    return true
  }

  async function loadSettled(): Promise<void> {
    for (let reads = 0; reads < MAX_READS; reads++) if (await load()) return
    onReload({ outcome: 'refused', errors: refusedAs(directory, 'kept changing while it was read').findings })
  }

  /** Runs one load at a time. The second of two concurrent requests waits for a load that began after it asked. */
  async function reload(): Promise<void> {
    while (running) await running
    running = loadSettled().finally(() => {
      running = undefined
    })
    await running
  }

  let nextLook = 0
  async function poll(): Promise<void> {
    const start = elapsed()
    if (running || start < nextLook) return
    const seen = await fingerprint(directory)
    const end = elapsed()
    nextLook = end + Math.min((end - start) / SHARE_OF_LOOKS, LONGEST_PAUSE_MS)
    const settled = seen === changed
    changed = seen
    if (seen !== looked && settled) await reload()
  }

  return { current: () => current, look: (why) => (why === 'asked' ? reload() : poll()) }
}

const refusedAs = (file: string, message: string) =>
  new CatalogueError([{ file, rule: 'file', severity: 'error', message }])
