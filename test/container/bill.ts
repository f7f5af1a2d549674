import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Fails unless the bill of materials of an image lists each package in its node_modules, and no other. */
const [, , app = ''] = process.argv
const named = z.object({ name: z.string(), version: z.string() })

const listed = z
  .object({ bomFormat: z.literal('CycloneDX'), components: z.array(named) })
  .parse(JSON.parse(readFileSync(join(app, 'sbom.cdx.json'), 'utf8')))
  .components.map(idOf)
const installed = packagesIn(join(app, 'node_modules'))
const missing = installed.filter((one) => !listed.includes(one))
const surplus = listed.filter((one) => !installed.includes(one))
process.stdout.write(`${installed.length} installed; missing: ${missing.join(' ')}; surplus: ${surplus.join(' ')}\n`)
process.exitCode = installed.length > 0 && missing.length + surplus.length === 0 ? 0 : 1

function packagesIn(directory: string): string[] {
  return directoriesIn(directory).flatMap((name) => {
    const path = join(directory, name)
    if (name.startsWith('.')) return []
    if (name.startsWith('@')) return packagesIn(path)
    const inner = directoriesIn(path).includes('node_modules') ? packagesIn(join(path, 'node_modules')) : []
    return [idOf(named.parse(JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')))), ...inner]
  })
}

function directoriesIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

function idOf({ name, version }: z.output<typeof named>): string {
  return `${name}@${version}`
}
