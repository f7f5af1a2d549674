import { corsHeaders } from './cors-rules.ts'
import { OssError } from './errors.ts'
import type { Headers, OssRequest } from './request.ts'
import type { OssResponse } from './response.ts'
import type { Bucket } from './store.ts'

/**
 * Answers a preflight, which is never signed.
 *
 * @throws OssError BadRequest, AccessForbidden
 */
export function preflight({ headers }: OssRequest, bucket: Bucket | undefined): OssResponse {
  const origin = headers.get('origin')
  const method = headers.get('access-control-request-method')
  if (origin === undefined) throw new OssError('BadRequest', 'Insufficient information. Origin request header needed.')
  if (method === undefined) {
    throw new OssError('BadRequest', 'Insufficient information. Access-Control-Request-Method header needed.')
  }
  const wanted = (headers.get('access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  // A missing bucket has the same answer as a bucket without rules, so strangers cannot tell them apart.
  const allowed = corsHeaders(bucket?.cors.rules ?? [], { origin, method, headers: wanted })
  if (!allowed) throw new OssError('AccessForbidden')
  return { status: 200, headers: allowed }
}

/** The headers that let a page read the answer to its request, errors included. */
export function actualCors(headers: Headers, method: string, bucket: Bucket | undefined): Record<string, string> {
  const origin = headers.get('origin')
  if (origin === undefined) return {}
  return corsHeaders(bucket?.cors.rules ?? [], { origin, method, headers: [] }) ?? {}
}
