import { type Catalogue, CatalogueError, loadCatalogue, type Reload } from '../policy/check/catalogue.ts'
import { fingerprint } from '../policy/check/fingerprint.ts'
import type { LintSettings } from '../policy/check/lint/rule.ts'

/** So often a set is read again that changed while it was read; then it is left alone until the next look. */
const MAX_READS = 5

/** The templates that are served, and how they are changed while the service runs. */
export type LivePolicies = Readonly<{
  /** What is served now; a vend takes it once, so that it sees one set from start to end. */
  current(): Catalogue
  /**
   * Asked, loads the directory again at once. By the clock, loads it if it has changed and then stayed as it is for one
   * look: a set that is still being written is left alone, and what was refused is not tried again until it changes.
   */
  look(why: 'clock' | 'asked'): Promise<void>
}>

/** Looks take at most this part of the time, so that those at a directory of thousands come less often. */
const SHARE_OF_LOOKS = 1 / 50
const LONGEST_PAUSE_MS = 10_000

/**
 * Loads the templates of a directory and keeps them. A set is loaded, linted and tested as a whole and then takes the
 * place of the old one; a bad set never does.
 * @param elapsed milliseconds since any moment
 * @throws {CatalogueError} when there is nothing good to begin with
 */
export async function createLivePolicies(
  directory: string,
  settings: LintSettings,
  onReload: (reload: Reload) => void,
  elapsed = () => performance.now(),
): Promise<LivePolicies> {
  let looked = await fingerprint(directory)
  let changed = looked
  const first = await loadCatalogue(directory, settings)
  let current = first.catalogue
  let running: Promise<void> | undefined
  onReload({ outcome: 'loaded', ...first })

  /** Whether the set stayed as it was while it was read. */
  async function load(): Promise<boolean> {
    const before = await fingerprint(directory)
    const loaded = await loadCatalogue(directory, settings).catch((error: unknown) => {
      if (error instanceof CatalogueError) return error
      // A defect of ours: told like any other bad set, or it would be tried again at each look, and nobody would know.
      return refusedAs(directory, `could not be checked: ${error instanceof Error ? error.name : 'unknown error'}`)
    })
    // Read while somebody wrote: half of it may be of the old set.
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

  /** One at a time: the second of two that ask at once gets a load that began after it asked. */
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
