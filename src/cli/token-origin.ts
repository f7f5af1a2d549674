import { exec } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { Environment } from '../config/environment.ts'
import { CommandError } from './io.ts'

/** Where a command finds the caller's token: exactly one of these. */
export type TokenOrigin = Readonly<{ tokenFile?: string; tokenEnv?: string; tokenCommand?: string }>

/** For a login that opens a browser. */
const COMMAND_TIMEOUT_MS = 60_000
const MAX_BYTES = 64 * 1024

/**
 * The token, without the white space around it. A token is never an argument: those are for all users of a machine to see.
 * @throws {CommandError} which never quotes what was read
 */
export async function readTokenFrom(origin: TokenOrigin, env: Environment): Promise<string> {
  const { tokenFile, tokenEnv, tokenCommand } = origin
  const given = [tokenFile, tokenEnv, tokenCommand].filter((one) => one !== undefined)
  if (given.length !== 1) throw new CommandError('Give one of --token-file, --token-env and --token-command', 2)
  const token = (await textFrom(origin, env)).trim()
  if (token === '') throw new CommandError('The token is empty', 1)
  if (/[^!-~]/u.test(token)) throw new CommandError('The token must be one word of printable characters', 1)
  return token
}

async function textFrom({ tokenFile, tokenEnv, tokenCommand }: TokenOrigin, env: Environment): Promise<string> {
  if (tokenFile !== undefined) {
    return readFile(tokenFile, 'utf8').catch((error: unknown) => {
      throw new CommandError(`--token-file cannot be read: ${codeOf(error)}`, 1)
    })
  }
  if (tokenEnv !== undefined) {
    const value = env[tokenEnv]
    if (value === undefined) throw new CommandError('--token-env must name a variable that is set', 1)
    return value
  }
  return outputOf(tokenCommand ?? '', env)
}

/** Its standard error may quote a secret, so it is dropped. */
function outputOf(command: string, env: Environment): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...env }, timeout: COMMAND_TIMEOUT_MS, maxBuffer: MAX_BYTES, windowsHide: true }
    exec(command, options, (error, stdout) => {
      if (!error) return resolve(stdout)
      const how = error.killed ? 'did not end in time' : `ended with ${codeOf(error)}`
      reject(new CommandError(`--token-command ${how}; run it by hand to see why`, 1))
    })
  })
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'an error')
