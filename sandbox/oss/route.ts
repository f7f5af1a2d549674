import type { Operation } from '../iam/oss-actions.ts'
import type { BucketContext, Context } from './context.ts'
import { OssError } from './errors.ts'
import type { OssRequest } from './request.ts'
import type { OssResponse } from './response.ts'

type Answer = OssResponse | Promise<OssResponse>

/** An operation: which requests are meant for it, who may call it, and what it does. */
export type Route = Readonly<
  {
    method: string
    /** Parameters that make a request this operation. */
    needs?: readonly string[]
    /** Parameters that it may have beside those. */
    takes?: readonly string[]
    /** Whether it is the one with `x-amz-copy-source`. */
    copies?: true
    /** `owner` alone, or whoever is allowed the operation; `each` is for the operation itself to ask, key by key. */
    access: Operation | 'owner' | 'each'
  } & ({ handle(context: BucketContext): Answer } | { handleWithoutBucket(context: Context): Answer })
>

/**
 * Finds the operation that a request is meant for, the first of those that fit. A parameter that it does not know is
 * refused and never passed over: `PUT ?acl` taken for a plain PUT would overwrite the object with an access list.
 *
 * @throws OssError MethodNotAllowed, NotImplemented
 */
export function findRoute(routes: readonly Route[], { method, query, headers }: OssRequest): Route {
  const isCopy = headers.has('x-amz-copy-source')
  const candidates = routes.filter((route) => route.method === method)
  const route = candidates.find(
    ({ needs = [], copies = false }) => copies === isCopy && needs.every((name) => query.has(name)),
  )
  // SDKs name the operation in x-id, which does nothing.
  const known = new Set([...(route?.needs ?? []), ...(route?.takes ?? []), 'x-id'])
  if ([...query.keys()].some((name) => !known.has(name))) {
    throw new OssError('NotImplemented', 'A parameter that you provided implies functionality that is not implemented.')
  }
  if (!route) throw new OssError(isCopy && candidates.length > 0 ? 'NotImplemented' : 'MethodNotAllowed')
  return route
}
