import type { TargetConfig } from '../../config/targets.ts'
import { call, OutboundError, type OutboundResponse, type Pool } from '../../lib/outbound.ts'
import { matchesWildcard } from '../../policy/language/wildcard.ts'
import type { Template } from '../../policy/template/template.ts'
import { failed, type Line, notChecked, type Outcome, passed } from './check.ts'
import { unreached } from './connection.ts'

type Options = Readonly<{
  oss: TargetConfig['oss']
  origins: readonly string[]
  templates: readonly Template[]
  pool: Pool
  timeoutMs: number
}>

/** What browsers send by `POST` are forms, and the first and the last step of an upload in parts. */
const METHODS: readonly (readonly [action: string, method: string])[] = [
  ['oss:GetObject', 'GET'],
  ['oss:PutObject', 'PUT'],
  ['oss:PutObject', 'POST'],
  ['oss:DeleteObject', 'DELETE'],
  ['oss:AbortMultipartUpload', 'DELETE'],
]
/** What AWS's SDK for JavaScript sends from a page. */
const HEADERS = [
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'authorization',
  'content-type',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-user-agent',
]

/** Whether pages of the configured origins may do in the bucket what the templates allow. */
export async function checkCors(options: Options): Promise<Outcome<true>> {
  const { origins, templates } = options
  if (origins.length === 0) return { lines: [notChecked('CORS_ORIGINS names no pages')] }
  const patterns = templates.flatMap(({ actions }) => actions)
  const allowed = METHODS.filter(([action]) => patterns.some((pattern) => matchesWildcard(pattern, action)))
  const methods = [...new Set(allowed.map(([, method]) => method))]
  if (methods.length === 0) return { lines: [notChecked('no template allows anything that a page does')] }
  return { lines: await Promise.all(origins.map((origin) => originLine(origin, methods, options))) }
}

async function originLine(origin: string, methods: readonly string[], options: Options): Promise<Line> {
  const { oss, pool, timeoutMs } = options
  const url = `${oss.endpoint.replace(/\/$/u, '')}/${oss.bucket}/oss-vend-doctor`
  const refused: string[] = []
  for (const method of methods) {
    const headers = {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': HEADERS.join(','),
    }
    try {
      const answer = await call(pool, { method: 'OPTIONS', url, headers, timeoutMs })
      if (!allows(answer, origin, method)) refused.push(method)
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error
      return unreached(oss.endpoint, error, [])
    }
  }
  if (refused.length === 0) return passed(`pages of ${origin} may send ${methods.join(', ')}`)
  const remedy = `add a CORS rule to ${oss.bucket}: AllowedOrigin ${origin}, AllowedMethod ${methods.join(', ')}, AllowedHeader *, ExposeHeader ETag; see "Pages in a browser" in docs/clients.md`
  return failed(`pages of ${origin} may not send ${refused.join(', ')} with the headers of SDKs`, remedy)
}

/** Whether a browser would go on after this answer to its preflight (Fetch standard, CORS-preflight fetch). */
function allows({ status, headers }: OutboundResponse, origin: string, method: string): boolean {
  if (status < 200 || status > 299) return false
  const listed = (name: string) =>
    String(headers[name] ?? '')
      .split(',')
      .map((item) => item.trim())
  const [origins, methods] = [listed('access-control-allow-origin'), listed('access-control-allow-methods')]
  const named = listed('access-control-allow-headers').map((name) => name.toLowerCase())
  // A `*` stands for every header but this one.
  const covers = (name: string) => named.includes(name) || (named.includes('*') && name !== 'authorization')
  return (
    (origins.includes(origin) || origins.includes('*')) &&
    (methods.includes(method) || methods.includes('*')) &&
    HEADERS.every(covers)
  )
}
