import { fitsWildcard } from '../wildcard.ts'

/** The name of a resource: `jrn:<service>:<region>:<account>:<resource>`. IAM's own have no region. */
export type Jrn = Readonly<{ service: string; region: string; account: string; resource: string }>

// A region and an account are written out, or `*` stands for all of them: JD Cloud documents nothing between.
const SHAPE = /^jrn:([a-z0-9-]+):([a-z0-9-]*|\*):(\d*|\*):(.+)$/su

/** Undefined for any text that is no JRN. */
export function parseJrn(text: string): Jrn | undefined {
  const [, service, region, account, resource] = SHAPE.exec(text) ?? []
  if (service === undefined || region === undefined || account === undefined || resource === undefined) return undefined
  return { service, region, account, resource }
}

/**
 * Whether a policy's resource covers a real one. `*` alone covers all. Otherwise each part is compared on its own, so
 * that a `*` for the region cannot reach into an object's key; in the last part it passes slashes.
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
