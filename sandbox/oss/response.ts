import type { ServerResponse } from 'node:http'
import type { OssError } from './errors.ts'
import { toXml, type XmlValue } from './xml.ts'

/** An answer before it is written. */
export type OssResponse = Readonly<{
  status: number
  headers?: Readonly<Record<string, string>>
  body?: Buffer | string
}>

/** Makes an answer with an XML document. */
export function xmlResponse(root: string, content: { readonly [element: string]: XmlValue }): OssResponse {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: toXml(root, content) }
}

/** S3's error document. `resource` is the path without the query, because the query may contain a signature. */
export function errorResponse(
  { code, message, status, details }: OssError,
  resource: string,
  requestId: string,
): OssResponse {
  const error = { Code: code, Message: message, ...details, Resource: resource, RequestId: requestId }
  return { ...xmlResponse('Error', error), status }
}

/** Writes an answer. For HEAD it writes the same headers and no body. */
export function writeResponse(res: ServerResponse, method: string, { status, headers, body }: OssResponse): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0))
  const bodiless = status === 204 || status === 304
  res.writeHead(status, { ...(!bodiless && { 'content-length': String(bytes.length) }), ...headers })
  if (method === 'HEAD' || bodiless) res.end()
  else res.end(bytes)
}
