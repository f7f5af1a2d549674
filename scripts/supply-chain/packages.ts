import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'

/** A package that ships: it is not only for development. */
export type ShippedPackage = Readonly<{
  name: string
  version: string
  /** As its package.json says: an SPDX id or expression. */
  licence: string | undefined
  author: string | undefined
  /** Licences, notices and the like: the path in the package, and the text. */
  texts: readonly Readonly<{ path: string; text: string }>[]
}>

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional(), optional: z.boolean().optional() })),
})
const person = z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)])
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]).optional(),
  author: person.optional(),
})
const TEXT_FILE = /^(?:un)?licen[cs]e|^copying|^copyright|^notice|^third.?party|\.licen[cs]e\.txt$/iu
// licences.js is code, and not a licence.
const CODE_FILE = /\.(?:[cm]?[jt]s|json|map)$/u

/**
 * The packages that the lockfile installs without development, from what is in node_modules, sorted by name.
 * @throws {Error} if a package is not installed, unless it is for another platform
 */
export function shippedPackages(root: string): ShippedPackage[] {
  const { packages } = lockSchema.parse(readJson(join(root, 'package-lock.json')))
  const found = Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .flatMap(([path, { optional }]) => {
      const directory = join(root, path)
      if (existsSync(directory)) return [packageIn(directory)]
      if (optional) return []
      throw new Error(`${path} is not installed: run npm ci`)
    })
  // The same version can stand in several places.
  const once = new Map(found.map((one) => [`${one.name}@${one.version}`, one]))
  return [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

function packageIn(directory: string): ShippedPackage {
  const { name, version, license, author } = manifestSchema.parse(readJson(join(directory, 'package.json')))
  const texts = filesIn(directory).filter((path) => TEXT_FILE.test(basename(path)) && !CODE_FILE.test(path))
  return {
    name,
    version,
    licence: license,
    author,
    texts: texts.map((path) => ({ path, text: readFileSync(join(directory, path), 'utf8') })),
  }
}

/** Every file of a package, without the packages inside of it. */
function filesIn(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name)
    if (!entry.isDirectory()) return [path]
    return entry.name === 'node_modules' ? [] : filesIn(directory, path)
  })
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
