import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { OssError } from './errors.ts'
import { parseTarget, type Target } from './target.ts'

/** The headers of a request by lower-case name. Repeated headers are joined by commas. */
export type Headers = ReadonlyMap<string, string>

/** A parsed request without its body. */
export type OssRequest = Target &
  Readonly<{
    method: string
    scheme: 'http' | 'https'
    headers: Headers
    /** The parts that identify the sender. */
    auth: 'header' | 'query' | 'none'
    /** Headers and query as received, because the signature covers them. */
    wire: Readonly<{ headers: Headers; query: ReadonlyMap<string, string> }>
  }>

/** The parameters that make a URL presigned, in lower case. */
const AUTH_PARAMETERS: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
])

/**
 * Reads the head of a request.
 *
 * @throws OssError InvalidURI, KeyTooLongError, InvalidArgument
 */
export function parseRequest(req: IncomingMessage, buckets: readonly string[]): OssRequest {
  const headers = readHeaders(req.rawHeaders)
  const target = parseTarget(req.url ?? '', headers.get('host') ?? '', buckets)
  const wire = { headers, query: target.query }
  const head = { method: req.method ?? '', scheme: req.socket instanceof TLSSocket ? 'https' : 'http' } as const
  const byHeader = headers.has('authorization')
  const byQuery = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature'].some((name) => target.query.has(name))
  if (byHeader && byQuery) throw new OssError('InvalidArgument', 'Only one auth mechanism allowed.')
  if (!byQuery) return { ...target, ...head, headers, wire, auth: byHeader ? 'header' : 'none' }
  return { ...target, ...lowerHoisted(target.query, headers), ...head, wire, auth: 'query' }
}

/** Presigning moves `x-amz-*` headers into the query, where they have the same meaning. */
function lowerHoisted(query: ReadonlyMap<string, string>, headers: Headers) {
  const rest = new Map<string, string>()
  const all = new Map(headers)
  for (const [name, value] of query) {
    const lower = name.toLowerCase()
    if (AUTH_PARAMETERS.has(lower)) continue
    if (!lower.startsWith('x-amz-')) rest.set(name, value)
    else if (all.has(lower)) throw new OssError('InvalidArgument', `${lower} stands in the query and in a header.`)
    else all.set(lower, value)
  }
  return { query: rest, headers: all }
}

function readHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? ''
    const value = raw[i + 1] ?? ''
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before},${value}`)
  }
  return headers
}
