import { type Issuer, NONE } from '../identity/issuer.ts'
import { SHARED_KEY, sharesKey } from '../identity/shared-keys.ts'
import type { ReportFault } from './faults.ts'
import { tokens } from './groups/tokens.ts'
import type { TokenSettings } from './issuer-profile.ts'
import { readIssuersFile } from './issuers-file.ts'
import type { Setting } from './setting.ts'
import { readSingleIssuer } from './single-issuer.ts'

type Options = Readonly<{
  /** Paths of the secrets in files, by the variable that they replace. */
  secretFiles: Readonly<Record<string, string>>
  report: ReportFault
  sandbox: boolean
}>

/**
 * The trusted issuers, from the variables of one issuer or from a file of several. Reports faults and leaves out faulty
 * issuers.
 */
export function readIssuers(settings: TokenSettings, { secretFiles, report, sandbox }: Options): Issuer[] {
  const path = settings.JWT_ISSUERS_FILE
  if (path === undefined) return readSingleIssuer(settings, secretFiles, report, sandbox)
  const given: Readonly<Record<string, unknown>> = settings
  for (const [name, setting] of Object.entries<Setting>(tokens)) {
    if (name === 'JWT_ISSUERS_FILE' || setting.default !== undefined || given[name] === undefined) continue
    report(name, 'must not be set beside JWT_ISSUERS_FILE', 'move it into the file or unset JWT_ISSUERS_FILE')
  }
  const issuers = readIssuersFile(path, settings, report, sandbox)
  reportAmbiguous(issuers, (rule, remedy) => report('JWT_ISSUERS_FILE', rule, remedy))
  return issuers
}

/** Reports issuers whose tokens, or whose callers, could be taken for those of another. */
function reportAmbiguous(issuers: readonly Issuer[], report: (rule: string, remedy: string) => void): void {
  const remedy = 'two entries for one issuer cannot be told apart'
  if (hasTwice(issuers.map(({ name }) => name))) report('each name must appear only once', remedy)
  if (hasTwice(issuers.flatMap(({ issuer }) => (issuer === NONE ? [] : issuer.map(({ iss }) => iss))))) {
    report('each issuer must appear only once', remedy)
  }
  if (issuers.filter(({ issuer }) => issuer === NONE).length > 1) {
    report('only one issuer may be none', 'nothing tells the tokens of two of them apart')
  }
  const holders = issuers.map((issuer) => ({ issuer, origins: issuer.keys.map(({ origin }) => origin) }))
  if (holders.some((one, index) => holders.slice(index + 1).some((other) => sharesKey(one, other)))) {
    report(SHARED_KEY, 'give it a secret of its own: openssl rand -base64 48')
  }
}

const hasTwice = (texts: readonly string[]) => new Set(texts).size < texts.length
