import { readFileSync } from 'node:fs'
import { readCertificates } from '../lib/authorities.ts'
import type { Environment } from './environment.ts'
import type { ReportFault } from './faults.ts'
import type { ReadSettings } from './settings.ts'

/** The proxy, and further certificate authorities in PEM. */
export function readOutbound(values: ReadSettings, env: Environment, report: ReportFault) {
  const proxy = values.HTTPS_PROXY ?? values.HTTP_PROXY
  const authorities = values.EXTRA_CA_FILE === undefined ? [] : readAuthorities(values.EXTRA_CA_FILE, report)
  return {
    ...(proxy && { proxy }),
    noProxy: values.NO_PROXY ?? '',
    // A list of ours replaces Node's, and some versions of Node tell it without these.
    authorities: authorities.length > 0 ? [...authorities, ...authoritiesOfNode(env.NODE_EXTRA_CA_CERTS)] : [],
  }
}

function readAuthorities(path: string, report: ReportFault): readonly string[] {
  const content = read(path)
  if (content === undefined) {
    report('EXTRA_CA_FILE', 'must name a readable file', 'check the path and its permissions')
    return []
  }
  const certificates = readCertificates(content)
  if (!certificates) {
    const remedy = 'write each certificate as a whole, from BEGIN CERTIFICATE to END CERTIFICATE'
    report('EXTRA_CA_FILE', 'must name a file of one or more certificates in PEM', remedy)
  }
  return certificates ?? []
}

/** Node itself only warns of a file that it cannot use. */
function authoritiesOfNode(path: string | undefined): readonly string[] {
  return readCertificates((path && read(path)) || '') ?? []
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
