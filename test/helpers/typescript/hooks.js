import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const cache = new URL('../../../node_modules/.cache/oss-vend-tests/', import.meta.url)

/** Loads TypeScript without its types; every import names its file in full, so that lookups stay Node's own. */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const path = fileURLToPath(url)
  const source = await readFile(path, 'utf8')
  const key = createHash('sha256').update(`${path}\0${source}`).digest('hex')
  const cached = new URL(`${key}.js`, cache)
  const code = await readFile(cached, 'utf8').catch(() => strip(path, source, cached))
  return { format: 'module', source: code, shortCircuit: true }
}

async function strip(path, source, cached) {
  const { transform } = await import('esbuild')
  const { code } = await transform(source, {
    loader: 'ts',
    target: 'node20',
    sourcefile: path,
    sourcemap: 'inline',
    sourcesContent: false,
  })
  // Another test file may be at the same: whoever reads finds all of it or none.
  const partial = new URL(`${cached}.${process.pid}`)
  await mkdir(cache, { recursive: true })
  await writeFile(partial, code)
  await rename(partial, cached)
  return code
}
