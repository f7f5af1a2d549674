import { createReadStream } from 'node:fs'
import { ConfigError, EX_CONFIG } from '../config/faults.ts'
import { readTokenConfig, type TokenConfig } from '../config/token-config.ts'
import type { CatalogueSettings } from '../policy/check/catalogue.ts'
import { CommandError, createPaint, type Io, writeJson } from './io.ts'
import { lintSettings, templatesDirectory } from './settings.ts'
import { reportOn } from './token/report.ts'
import { forMachines, showReport } from './token/show.ts'
import { describeOrigin } from './token/signature.ts'
import { answersFor } from './token/templates.ts'
import { createService } from './token/verdict.ts'

/** The options of `token inspect`. */
export type InspectOptions = Readonly<{
  file?: string
  dir?: string
  /** Epoch milliseconds; default: now. */
  at?: number
  json?: boolean
  /** Whether key sets are fetched, as the service does; default: true. */
  fetch?: boolean
}>

/** For tests: key servers on this machine, without TLS. */
type Dependencies = Readonly<{ sandbox?: boolean }>

/** Far more than any token has; the rest is not read. */
const MAX_BYTES = 1024 * 1024

/**
 * `token inspect`: what the service would say to a token, check by check, with the setting to change. 0 if it would
 * accept the token, 1 if not. Never prints the token or its signature.
 * @throws {CommandError}
 */
export async function inspectCommand(
  io: Io,
  { file, dir, at = Date.now(), json = false, fetch = true }: InspectOptions,
  { sandbox = false }: Dependencies = {},
): Promise<number> {
  const config = configOf(io, json, sandbox)
  if (!config) return EX_CONFIG
  const text = tokenIn(await read(io, file))
  const onFetching: Parameters<typeof createService>[1]['onFetching'] = (issuer, origin) =>
    io.err(`Fetching the keys of issuer ${issuer}: ${describeOrigin(origin)}\n`)
  const service = await createService(config, { now: () => at, fetch, onFetching, sandbox })
  try {
    const found = await reportOn(text, { config, service, now: at })
    const settings = templateSettings(io, config)
    const notes =
      typeof settings === 'string' ? [...found.notes, `the templates were not read: ${settings}`] : found.notes
    const report = { ...found, notes }
    const templates =
      found.caller && typeof settings !== 'string'
        ? await answersFor(dir ?? templatesDirectory(io.env), found.caller, {
            settings,
            now: at,
            boundToToken: config.sessionBoundToToken,
          })
        : undefined
    if (json) writeJson(io, forMachines(report, templates))
    else io.out(showReport(report, templates, createPaint(io.terminal.out)))
    return report.verdict === 'accepted' ? 0 : 1
  } finally {
    await service.close()
  }
}

/** The settings of templates, or what is wrong with them: that must not hide what is wrong with the token. */
function templateSettings({ env }: Io, { issuers }: TokenConfig): CatalogueSettings | string {
  try {
    return lintSettings(env, { issuers })
  } catch (error) {
    if (error instanceof CommandError) return error.message
    throw error
  }
}

/** Undefined after its faults are told. They never quote a value. */
function configOf(io: Io, json: boolean, sandbox: boolean): TokenConfig | undefined {
  try {
    return readTokenConfig(io.env, { sandbox })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (json) writeJson(io, { error: error.message })
    else io.err(`${error.message}\n`)
    return undefined
  }
}

/** The token without what often stands around it: white space, and the name of the scheme. */
const tokenIn = (text: string): string =>
  text
    .trim()
    .replace(/^authorization:\s*/iu, '')
    .replace(/^bearer\s+/iu, '')

async function read({ input, err, terminal }: Io, file: string | undefined): Promise<string> {
  if (file === undefined && terminal.input) err('Reading the token from standard input; end it with Ctrl-D.\n')
  const stream = file === undefined ? input?.() : createReadStream(file)
  try {
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of stream ?? []) {
      const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      chunks.push(part)
      bytes += part.length
      if (bytes > MAX_BYTES) break
    }
    return Buffer.concat(chunks).toString()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error'
    throw new CommandError(`${file === undefined ? 'Standard input' : 'The file'} cannot be read: ${code}`, 2)
  }
}
