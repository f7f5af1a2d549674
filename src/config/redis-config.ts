import { checkSettings } from './checks.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { ConfigError, type ConfigFault, type ReportFault } from './faults.ts'
import { cache } from './groups/cache.ts'
import { outbound } from './groups/outbound.ts'
import { readOutbound } from './outbound.ts'

const NAMES = Object.keys({ ...cache, ...outbound })
const isOurs = (variable: string) =>
  NAMES.includes(variable.replace(/_FILE$/u, '').toUpperCase()) || variable === 'EXTRA_CA_FILE'

/**
 * Reads what the service would read about Redis, and the way there. Other settings may be missing or wrong.
 * @throws {ConfigError}
 */
export function readRedisConfig(env: Environment) {
  const faults: ConfigFault[] = []
  const report: ReportFault = (variable, rule, remedy) => {
    if (isOurs(variable)) faults.push({ variable, rule, remedy })
  }
  // The keys of JD Cloud, and the secrets of issuers, are not even read.
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => isOurs(name) || name === 'NODE_EXTRA_CA_CERTS'))
  const { values } = readEnvironment(own, report)
  checkSettings(values, report, false)
  const route = readOutbound(values, own, report)
  if (faults.length > 0) throw new ConfigError(faults)
  return values.REDIS_URL && { address: values.REDIS_URL, encryptionKeys: values.CACHE_ENCRYPTION_KEY ?? [], route }
}
