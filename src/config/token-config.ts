import { type Environment, readEnvironment, reportMisspelt } from './environment.ts'
import { ConfigError, type ConfigFault, type ReportFault } from './faults.ts'
import { outbound } from './groups/outbound.ts'
import { tokens } from './groups/tokens.ts'
import { readIssuers } from './issuers.ts'
import { readOutbound } from './outbound.ts'

/** The part of the configuration that decides about tokens. It contains secrets. */
export type TokenConfig = ReturnType<typeof readTokenConfig>

const NAMES = Object.keys({ ...tokens, ...outbound })

/** `JWT_ISSUERS_FILE[0].secret` and `JWT_SECRET_FILE` are about tokens, and so is a misspelt `JWT_ISUER`. */
const isAboutTokens = (variable: string) => variable.startsWith('JWT_') || NAMES.includes(variable.toUpperCase())

/** Further variables that decide about tokens, or about connections. */
const ALSO: readonly string[] = ['NODE_EXTRA_CA_CERTS', 'SESSION_BOUND_TO_TOKEN']

/**
 * Reads what the service would read about tokens, and the way to key servers. Other settings may be missing or wrong.
 * @throws {ConfigError}
 */
export function readTokenConfig(env: Environment, { sandbox = false } = {}) {
  const faults: ConfigFault[] = []
  const report: ReportFault = (variable, rule, remedy) => {
    if (isAboutTokens(variable)) faults.push({ variable, rule, remedy })
  }
  reportMisspelt(env, report)
  // The rest, with the keys of JD Cloud, is not even read.
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => isAboutTokens(name) || ALSO.includes(name)))
  const { values, secretFiles } = readEnvironment(own, report)
  const issuers = readIssuers(values, { secretFiles, report, sandbox })
  const outbound = readOutbound(values, own, report)
  if (faults.length > 0) throw new ConfigError(faults)
  return {
    issuers,
    /** Whether the issuers stand in a file, and not in variables. */
    fromFile: values.JWT_ISSUERS_FILE !== undefined,
    maxTokenBytes: values.JWT_MAX_BYTES,
    sessionBoundToToken: values.SESSION_BOUND_TO_TOKEN,
    outbound,
  } as const
}
