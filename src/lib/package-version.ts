import { readFileSync } from 'node:fs'

/** The version of this package. The path is the same from here and from the built code in dist/src/. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest && 'version' in manifest ? String(manifest.version) : '0.0.0'
}
