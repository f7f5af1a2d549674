import { VendError } from '../errors.ts'
import { refusalWithRemedy } from '../policy/check/examples.ts'
import type { LintSettings } from '../policy/check/lint/rule.ts'
import { fillIn, type Grant } from '../policy/grant/grant.ts'
import type { Template } from '../policy/template/template.ts'
import { type CallerOptions, grantRequest } from './caller.ts'
import { CommandError, type Io, writeJson } from './io.ts'

/** `policies render <name>`: the session policy that a caller would get; with `--json` the whole grant. */
export function renderCommand(
  io: Io,
  template: Template,
  options: CallerOptions,
  settings: LintSettings,
  json: boolean,
): 0 {
  const { policy, ...grant } = granted(template, options, settings)
  writeJson(io, json ? { ...grant, policy: JSON.parse(policy) } : JSON.parse(policy))
  return 0
}

function granted(template: Template, options: CallerOptions, settings: LintSettings): Grant {
  try {
    return fillIn(template, grantRequest(options, settings), settings)
  } catch (error) {
    if (error instanceof VendError) throw new CommandError(`${error.code}: ${refusalWithRemedy(error)}`, 1)
    throw error
  }
}
