import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { failed, type Outcome, passed } from './check.ts'

/**
 * Whether the service could go on with, or begin, the file of its audit: it does not start without. Creates nothing,
 * because a file of another user would keep the service from its own.
 */
export async function checkAuditFile(path: string): Promise<Outcome<true>> {
  try {
    const found = await stat(path).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
      return undefined
    })
    if (found && !found.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'ENOTREG' })
    if (found) await access(path, constants.R_OK | constants.W_OK)
    else await access(dirname(path), constants.W_OK | constants.X_OK)
    return { lines: [passed(found ? `can be appended to ${path}` : `can be begun as ${path}`)], value: true }
  } catch (error) {
    const remedy = 'let the user of the service write and read it and its folder, or choose another'
    return { lines: [failed(`${path} cannot be written: ${codeOf(error)}`, remedy, ['AUDIT_LOG'])] }
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
