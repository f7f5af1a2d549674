#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { buildApp } from './app.ts'
import { runCli } from './cli/cli.ts'
import { readConfig } from './config/config.ts'
import { ConfigError, EX_CONFIG } from './config/faults.ts'
import { createStdout } from './observe/audit/stream.ts'
import { createLogger } from './observe/log.ts'
import { createProcessRegistry } from './observe/registry.ts'
import { CatalogueError } from './policy/check/catalogue.ts'

/** From the signal to the end, whatever happens: orchestrators kill after ten seconds or more. */
const SHUTDOWN_MS = 9500

async function serve(): Promise<void> {
  const config = readConfig(process.env)
  const stdout = createStdout()
  const logger = createLogger(config.logLevel, stdout)
  const { app, ops, reload, stop } = await buildApp(config, { logger, metrics: createProcessRegistry(), stdout })

  // Not by close-with-grace: at a second signal it ends the process, and the requests that are running with it.
  let stopping = false
  const end = async (signal: NodeJS.Signals) => {
    if (stopping) return
    stopping = true
    logger.info({ signal }, 'draining')
    setTimeout(() => {
      logger.error('requests were still running when the time to shut down was over')
      process.exit(1)
    }, SHUTDOWN_MS).unref()
    await stop(config.shutdownDelayMs)
    logger.info('stopped')
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', () => {
    logger.info({ signal: 'SIGHUP' }, 'reloading')
    reload().catch((error: unknown) => logger.error({ error }, 'reload failed'))
  })

  const { host, port, opsHost, opsPort = 0 } = config
  const listen = (server: typeof app, prefix: string, host: string, port: number) =>
    server.listen({ host, port }).catch((error: unknown) => {
      const where = `${prefix}HOST=${host} ${prefix}PORT=${port}`
      process.stderr.write(`The service cannot listen on ${where}: ${nameOf(error)}\n`)
      process.exit(1)
    })
  if (ops) await listen(ops, 'OPS_', opsHost, opsPort)
  await listen(app, '', host, port)
}

async function main(args: readonly string[]): Promise<void> {
  const { stdout, stderr } = process
  // SDKs start `credentials` in any folder: a downloaded one must not say where credentials are kept.
  if (args[0] !== 'credentials' && existsSync('.env')) process.loadEnvFile('.env')
  if (args.length === 0) return serve()
  // A reader such as head or less may stop before the end.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const io = {
    env: process.env,
    out: (text: string) => void stdout.write(text),
    err: (text: string) => void stderr.write(text),
    input: () => process.stdin,
    terminal: { out: stdout.isTTY && !process.env.NO_COLOR, err: stderr.isTTY, input: process.stdin.isTTY },
  }
  const exitCode = await runCli(args, io, serve)
  if (exitCode !== 0) process.exitCode = exitCode
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const configured = error instanceof ConfigError || error instanceof CatalogueError
  // Anything but our own messages could quote the environment.
  process.stderr.write(`${configured ? error.message : `The service could not start: ${nameOf(error)}`}\n`)
  process.exit(configured ? EX_CONFIG : 1)
})

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name
}
