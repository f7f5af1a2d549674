import { crc32 } from 'node:zlib'

/** A body in one chunk with its checksum behind it, as SDKs frame it for `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. */
export function chunkedBody(content: string, headers: Readonly<Record<string, string>>) {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(content))
  const size = Buffer.byteLength(content)
  const body = `${size.toString(16)}\r\n${content}\r\n0\r\nx-amz-checksum-crc32:${checksum.toString('base64')}\r\n\r\n`
  return {
    body,
    headers: {
      ...headers,
      'content-encoding': 'aws-chunked',
      'content-length': String(Buffer.byteLength(body)),
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(size),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    },
  }
}
