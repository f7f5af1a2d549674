import type { Operation } from '../iam/oss-actions.ts'
import type { BucketContext, Context } from './context.ts'
import { OssError } from './errors.ts'
import type { OssRequest } from './request.ts'
import type { OssResponse } from './response.ts'

type Answer = OssResponse | Promise<OssResponse>

/** An operation: the requests that it serves, who may use it, and its code. */
export type Route = Readonly<
  {
    method: string
    /** Parameters that select this operation. */
    needs?: readonly string[]
    /** Parameters that it understands, although elsewhere they select an operation. */
    takes?: readonly string[]
    /** Whether it needs `x-amz-copy-source`. */
    copies?: true
    /** `owner` only, or every caller that a policy allows. With `each`, the operation itself checks each key. */
    access: Operation | 'owner' | 'each'
  } & ({ handle(context: BucketContext): Answer } | { handleWithoutBucket(context: Context): Answer })
>

/** An operation for a request. If `isPartial`, the request also asks for something that this operation does not do. */
export type Found = Readonly<{ route: Route; isPartial: boolean }>

/**
 * S3's operations that JD Cloud does not document. It has no actions for them, so a session may never use one. If they
 * were ignored as other parameters are, `PUT ?acl` would overwrite the object with an access list. In lower case.
 */
const UNSUPPORTED: ReadonlySet<string> = new Set(
  `abac accelerate acl analytics append attributes encryption intelligent-tiering inventory legal-hold lifecycle logging
  metadataconfiguration metadatainventorytable metadatajournaltable metadatatable metrics notification object-lock
  ownershipcontrols policy policystatus publicaccessblock renameobject replication requestpayment restore retention
  select session tagging torrent versioning versions website`.split(/\s+/u),
)

/** Parameters that select an operation or a version. Without the rest of their operation, they would do something else. */
const SELECTORS: ReadonlySet<string> = new Set([
  'uploads',
  'uploadid',
  'partnumber',
  'delete',
  'cors',
  'location',
  'versionid',
])

/**
 * Finds the first operation that fits a request. Like S3, it ignores parameters that belong to no operation.
 *
 * @throws OssError MethodNotAllowed
 */
export function findRoute(routes: readonly Route[], { method, query, headers }: OssRequest): Found {
  if ([...query.keys()].some((name) => UNSUPPORTED.has(name.toLowerCase()))) return { route: NO_ROUTE, isPartial: true }
  const isCopy = headers.has('x-amz-copy-source')
  const candidates = routes.filter(
    (route) => route.method === method && (route.needs ?? []).every((name) => query.has(name)),
  )
  const route = candidates.find(({ copies = false }) => copies === isCopy) ?? candidates[0]
  if (!route) throw new OssError('MethodNotAllowed')
  const known = new Set([...(route.needs ?? []), ...(route.takes ?? [])])
  // Every object is the version `null` in a bucket without versions.
  const isForeign = ([name, value]: [string, string]) =>
    SELECTORS.has(name.toLowerCase()) && !known.has(name) && !(name === 'versionId' && value === 'null')
  return { route, isPartial: [...query].some(isForeign) || isCopy !== (route.copies ?? false) }
}

const NO_ROUTE: Route = {
  method: '*',
  access: 'owner',
  handleWithoutBucket() {
    throw new OssError('NotImplemented')
  },
}
