import { startContainer } from '../container.ts'

/** What deploy/sandbox.Dockerfile runs, with the folder that it shares with the service as the argument. */
const [folder] = process.argv.slice(2)
if (folder === undefined) {
  process.stderr.write('usage: container.ts <folder>\n')
  process.exit(2)
}
const { close } = await startContainer(folder, { sts: 4501, oss: 4502, relay: 14502 })
process.stdout.write('The sandbox is ready.\n')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close())
