import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Servers that are made of the service's own code, and so are bundled as it is: neither side may have that advantage. */
const ALIKE = ['bench/servers/constant.ts']

/** Builds what the benchmarks start: the service, and beside it the servers that are made of its code. */
export async function build(): Promise<void> {
  const npm = (...args: string[]) =>
    promisify(execFile)('npm', ['run', '--silent', ...args], { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
  await npm('build')
  await npm('bundle', '--', ...ALIKE, '--outdir=dist/src')
}
