import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c, crc64nvme } from './crc.ts'
import { OssError } from './errors.ts'
import type { Headers } from './request.ts'

type Digest = (body: Buffer) => Buffer

/** A checksum that a client sent: the name of its header, and its value. */
export type Checksum = Readonly<{ name: string; value: string }>

const hash =
  (algorithm: string): Digest =>
  (body) =>
    createHash(algorithm).update(body).digest()

const DIGESTS: ReadonlyMap<string, Digest> = new Map([
  ['x-amz-checksum-crc32', crc32Bytes],
  ['x-amz-checksum-crc32c', crc32c],
  ['x-amz-checksum-crc64nvme', crc64nvme],
  ['x-amz-checksum-sha1', hash('sha1')],
  ['x-amz-checksum-sha256', hash('sha256')],
])

/** Whether the headers contain a checksum. */
export function hasChecksum(headers: Headers): boolean {
  return [...DIGESTS.keys()].some((name) => headers.has(name))
}

/**
 * Refuses headers with a checksum that no body could have.
 *
 * @throws OssError InvalidRequest
 */
export function checkChecksumHeaders(headers: Headers): void {
  read(headers)
}

/**
 * Compares a body with the checksum in the headers, and returns it.
 *
 * @throws OssError InvalidRequest, BadDigest
 */
export function verifyChecksum(body: Buffer, headers: Headers): Checksum | undefined {
  const found = read(headers)
  if (found && base64(found.digest(body)) !== found.value) throw new OssError('BadDigest')
  return found
}

/**
 * Compares an object with the checksum in the headers of its completion. It is a checksum of the whole object, or a
 * checksum of the checksums of its parts, with the number of parts behind a hyphen.
 *
 * @throws OssError InvalidRequest, BadDigest
 */
export function verifyPartsChecksum(parts: readonly Buffer[], headers: Headers): void {
  const found = read(headers)
  if (!found) return
  const { digest, value } = found
  const want = value.includes('-')
    ? `${base64(digest(Buffer.concat(parts.map(digest))))}-${parts.length}`
    : base64(digest(Buffer.concat(parts)))
  if (value !== want) throw new OssError('BadDigest')
}

function read(headers: Headers): (Checksum & { digest: Digest }) | undefined {
  const [found, ...more] = [...DIGESTS].filter(([name]) => headers.has(name))
  if (!found) return undefined
  if (more.length > 0) {
    throw new OssError('InvalidRequest', 'Expecting a single x-amz-checksum- header. Multiple types are not allowed.')
  }
  const [name, digest] = found
  const value = headers.get(name) ?? ''
  const text = value.replace(/-\d{1,5}$/u, '')
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== digest(Buffer.alloc(0)).length || base64(bytes) !== text) {
    throw new OssError('InvalidRequest', `Value for ${name} header is invalid.`)
  }
  return { name, value, digest }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}

function crc32Bytes(body: Buffer): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(body))
  return bytes
}
