import { fitsWildcard } from '../wildcard.ts'

/** The name of a resource: `jrn:<service>:<region>:<account>:<resource>`. IAM's own resources have no region. */
export type Jrn = Readonly<{ service: string; region: string; account: string; resource: string }>

// A region or account is either written out or `*`. JD Cloud documents no other patterns.
const SHAPE = /^jrn:([a-z0-9-]+):([a-z0-9-]*|\*):(\d*|\*):(.+)$/su

/** Undefined if the text is not a JRN. */
export function parseJrn(text: string): Jrn | undefined {
  const [, service, region, account, resource] = SHAPE.exec(text) ?? []
  if (service === undefined || region === undefined || account === undefined || resource === undefined) return undefined
  return { service, region, account, resource }
}

/**
 * Whether a policy's resource covers a real one. `*` alone covers all. Otherwise each part is compared on its own, so
 * that a `*` for the region cannot reach into an object key. In the last part, `*` also matches slashes.
 */
export function coversResource(pattern: string, real: Jrn): boolean {
  if (pattern === '*') return true
  const named = parseJrn(pattern)
  return (
    named !== undefined &&
    named.service === real.service &&
    (named.region === '*' || named.region === real.region) &&
    (named.account === '*' || named.account === real.account) &&
    fitsWildcard(named.resource, real.resource)
  )
}
