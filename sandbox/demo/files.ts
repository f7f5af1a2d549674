import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (name: string) => fileURLToPath(new URL(`page/${name}`, import.meta.url))

/** A file of the page, ready to send. */
export type PageFile = Readonly<{ type: string; body: string }>

/** The page's own files by their path under `/demo`. Visitors read the script, so it is not minified. */
export async function readPage(): Promise<ReadonlyMap<string, PageFile>> {
  const [html, css, icon, script] = await Promise.all([
    readFile(here('index.html'), 'utf8'),
    readFile(here('style.css'), 'utf8'),
    readFile(here('icon.svg'), 'utf8'),
    bundle(),
  ])
  return new Map([
    ['', { type: 'text/html; charset=utf-8', body: html }],
    ['/style.css', { type: 'text/css; charset=utf-8', body: css }],
    ['/icon.svg', { type: 'image/svg+xml', body: icon }],
    ['/app.js', { type: 'text/javascript; charset=utf-8', body: script }],
  ])
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('main.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles.map(({ text }) => text).join('')
}
