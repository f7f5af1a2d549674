import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'
import { OssError } from './errors.ts'
import type { Headers } from './request.ts'

/** The most that any request body may have. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/**
 * Refuses the bodies that JD Cloud does not take. It documents that aws-chunked ones are not supported, not how it
 * refuses them: Ceph, whose rule is the same, answers 411 to a stream without a length.
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

/** The announced length of a body, which Node's parser holds the client to; without a header there is no body. */
export function contentLength(headers: Headers): number {
  return Number(headers.get('content-length') ?? 0)
}

/** Reads a body whose headers were checked, so that its length is bearable. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/**
 * Compares a body with every digest that came along.
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

/** Whether anything vouches for the body, which S3 wants where a body that was changed on the way would do harm. */
export function hasDigest(headers: Headers): boolean {
  return DIGESTS.some(([name]) => headers.has(name))
}

/** Other checksums that S3 knows are not looked at. */
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
