import { type IssuerValue, NONE } from '../identity/issuer.ts'
import type { ReportField } from './issuer-profile.ts'

const TENANT = '{tid}'

/**
 * Every value of `iss` that is accepted, out of a list of texts of which some stand for one text for each tenant. All of
 * them are whole texts, so that nothing in a token is ever matched with a pattern. Undefined after a report.
 */
export function issuerValues(
  issuer: readonly string[],
  tenants: readonly string[] | undefined,
  report: ReportField,
): readonly IssuerValue[] | typeof NONE | undefined {
  const fault = faultOf(issuer, tenants)
  if (fault) {
    report(...fault)
    return undefined
  }
  if (issuer.includes(NONE)) return NONE
  const values = issuer.flatMap((text): IssuerValue[] =>
    text.includes(TENANT)
      ? (tenants ?? []).map((tenant) => ({ iss: text.replace(TENANT, () => tenant), tenant }))
      : [{ iss: text }],
  )
  if (new Set(values.map(({ iss }) => iss)).size === values.length) return values
  report('issuer', 'must not name one iss twice', 'keep one of the two')
  return undefined
}

function faultOf(
  issuer: readonly string[],
  tenants: readonly string[] | undefined,
): Parameters<ReportField> | undefined {
  if (issuer.includes(NONE) && issuer.length > 1) {
    return ['issuer', 'none must stand alone', 'make an entry of its own for tokens without iss']
  }
  if (issuer.some((text) => text.includes('*') || /[{}]/u.test(text.replace(TENANT, '')))) {
    const rule = `must be the iss itself: ${TENANT}, once, is the only placeholder`
    return ['issuer', rule, 'list each iss, or list the tenants']
  }
  const isPattern = issuer.some((text) => text.includes(TENANT))
  if (isPattern && tenants === undefined) {
    return [
      'issuer',
      `${TENANT} needs a list of tenants`,
      'list under tenants, in the issuers file, those that you trust',
    ]
  }
  if (!isPattern && tenants !== undefined) {
    return ['tenants', `applies only to an issuer with ${TENANT}`, `write ${TENANT} where the iss names the tenant`]
  }
  return undefined
}
