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
    /** Further parameters that it accepts. */
    takes?: readonly string[]
    /** Whether it needs `x-amz-copy-source`. */
    copies?: true
    /** `owner` only, or every caller that a policy allows. With `each`, the operation itself checks each key. */
    access: Operation | 'owner' | 'each'
  } & ({ handle(context: BucketContext): Answer } | { handleWithoutBucket(context: Context): Answer })
>

/**
 * Finds the first operation that fits a request. Unknown parameters are refused, never ignored: otherwise `PUT ?acl`
 * would count as a plain PUT and overwrite the object with an access list.
 *
 * @throws OssError MethodNotAllowed, NotImplemented
 */
export function findRoute(routes: readonly Route[], { method, query, headers }: OssRequest): Route {
  const isCopy = headers.has('x-amz-copy-source')
  const candidates = routes.filter((route) => route.method === method)
  const route = candidates.find(
    ({ needs = [], copies = false }) => copies === isCopy && needs.every((name) => query.has(name)),
  )
  // SDKs name the operation in x-id, which has no effect.
  const known = new Set([...(route?.needs ?? []), ...(route?.takes ?? []), 'x-id'])
  if ([...query.keys()].some((name) => !known.has(name))) {
    throw new OssError('NotImplemented', 'A parameter that you provided implies functionality that is not implemented.')
  }
  if (!route) throw new OssError(isCopy && candidates.length > 0 ? 'NotImplemented' : 'MethodNotAllowed')
  return route
}
