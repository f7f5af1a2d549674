import { VendError } from '../errors.ts'
import type { CatalogueSettings } from '../policy/check/catalogue.ts'
import { issuersOf, refusalWithRemedy } from '../policy/check/examples.ts'
import { fillIn, type Grant } from '../policy/grant/grant.ts'
import { settingsFor } from '../policy/grant/target.ts'
import type { Template } from '../policy/template/template.ts'
import { type CallerOptions, grantRequest } from './caller.ts'
import { CommandError, type Io, writeJson } from './io.ts'

/** `policies render <name>`: the session policy that a caller would get; with `--json` the whole grant. */
export function renderCommand(
  io: Io,
  template: Template,
  options: CallerOptions,
  settings: CatalogueSettings,
  json: boolean,
): 0 {
  const { policy, ...grant } = granted(template, options, settings)
  writeJson(io, json ? { ...grant, policy: JSON.parse(policy) } : JSON.parse(policy))
  return 0
}

function granted(template: Template, options: CallerOptions, settings: CatalogueSettings): Grant {
  try {
    const request = grantRequest(options, issuersOf(settings), template)
    return fillIn(template, request, settingsFor(template, request, settings))
  } catch (error) {
    if (error instanceof VendError) throw new CommandError(`${error.code}: ${refusalWithRemedy(error)}`, 1)
    throw error
  }
}
