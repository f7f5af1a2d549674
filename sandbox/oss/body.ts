import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { checkChecksumHeaders, hasChecksum } from './checksums.ts'
import { OssError } from './errors.ts'
import type { Headers } from './request.ts'

/** The largest request body. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/**
 * Refuses bodies that JD Cloud does not accept. Its documentation says that aws-chunked bodies are not supported, but
 * not how it refuses them. Ceph has the same rule and answers 411 to a stream without a length.
 *
 * @throws OssError NotImplemented, InvalidRequest, InvalidDigest, MissingContentLength, EntityTooLarge
 */
export function checkBodyHeaders(headers: Headers): void {
  const encodings = (headers.get('content-encoding') ?? '').toLowerCase().split(',')
  if (
    headers.get('x-amz-content-sha256')?.startsWith('STREAMING-') ||
    encodings.some((encoding) => encoding.trim() === 'aws-chunked') ||
    headers.has('x-amz-decoded-content-length') ||
    headers.has('x-amz-trailer')
  ) {
    throw new OssError('NotImplemented', 'aws-chunked bodies are not supported: send the body as it is.')
  }
  checkDigests(headers)
  if (headers.has('transfer-encoding')) throw new OssError('MissingContentLength')
  if (contentLength(headers) > MAX_BODY_BYTES) throw new OssError('EntityTooLarge')
}

/**
 * Refuses digests that no body could have.
 *
 * @throws OssError InvalidRequest, InvalidDigest
 */
export function checkDigests(headers: Headers): void {
  checkChecksumHeaders(headers)
  const md5 = headers.get('content-md5')
  if (md5 !== undefined && !/^[A-Za-z0-9+/]{22}==$/u.test(md5)) throw new OssError('InvalidDigest')
}

/** The announced length of a body, which Node's parser enforces. Without the header there is no body. */
export function contentLength(headers: Headers): number {
  return Number(headers.get('content-length') ?? 0)
}

/** Reads a body. Its headers were checked before, so its length is acceptable. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/**
 * Compares a body with the digests that are always its own. A checksum in a header may be that of an object instead.
 *
 * @throws OssError XAmzContentSHA256Mismatch, BadDigest
 */
export function verifyBody(body: Buffer, headers: Headers): void {
  const signed = headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'
  if (signed !== 'UNSIGNED-PAYLOAD' && signed !== createHash('sha256').update(body).digest('hex')) {
    throw new OssError('XAmzContentSHA256Mismatch')
  }
  const md5 = headers.get('content-md5')
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) throw new OssError('BadDigest')
}

/** Whether a header protects the integrity of the body. S3 requires that where a changed body would do harm. */
export function hasDigest(headers: Headers): boolean {
  return headers.has('content-md5') || hasChecksum(headers)
}
