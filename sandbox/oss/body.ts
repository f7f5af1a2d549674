import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'
import { OssError } from './errors.ts'
import type { Headers } from './request.ts'

/** The largest request body. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/**
 * Refuses bodies that JD Cloud does not accept. Its documentation says that aws-chunked bodies are not supported, but
 * not how it refuses them. Ceph has the same rule and answers 411 to a stream without a length.
 *
 * @throws OssError NotImplemented, MissingContentLength, EntityTooLarge
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
  if (headers.has('transfer-encoding')) throw new OssError('MissingContentLength')
  if (contentLength(headers) > MAX_BODY_BYTES) throw new OssError('EntityTooLarge')
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
 * Compares a body with each digest in the headers.
 *
 * @throws OssError XAmzContentSHA256Mismatch, InvalidDigest, BadDigest, InvalidRequest
 */
export function verifyBody(body: Buffer, headers: Headers): void {
  const hash = (algorithm: string) => createHash(algorithm).update(body).digest()
  const signed = headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'
  if (signed !== 'UNSIGNED-PAYLOAD' && signed !== hash('sha256').toString('hex')) {
    throw new OssError('XAmzContentSHA256Mismatch')
  }
  for (const [name, digest] of DIGESTS) {
    const given = headers.get(name)
    if (given === undefined) continue
    const want = digest === 'crc32' ? crc32Bytes(body) : hash(digest)
    const have = Buffer.from(given, 'base64')
    if (have.length !== want.length || have.toString('base64') !== given) {
      if (digest === 'md5') throw new OssError('InvalidDigest')
      throw new OssError('InvalidRequest', `Value for ${name} header is invalid.`)
    }
    if (!have.equals(want)) throw new OssError('BadDigest')
  }
}

/** Whether a header protects the integrity of the body. S3 requires that where a changed body would do harm. */
export function hasDigest(headers: Headers): boolean {
  return DIGESTS.some(([name]) => headers.has(name))
}

/** S3's other checksums are not checked. */
const DIGESTS = [
  ['content-md5', 'md5'],
  ['x-amz-checksum-crc32', 'crc32'],
  ['x-amz-checksum-sha256', 'sha256'],
] as const

function crc32Bytes(body: Buffer): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(body))
  return bytes
}
