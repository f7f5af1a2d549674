import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A public file. Its bytes are in memory once, however many clients read it. */
export type PublicFile = Readonly<{ type: string; cacheControl: string; etag: string; bytes: Buffer }>

export function publicFile(type: string, cacheControl: string, bytes: Buffer): PublicFile {
  return { type, cacheControl, etag: `"${hash('sha256', bytes, 'base64url')}"`, bytes }
}

/** Answers with a file, or with 304 if the client has it. Node sends the same buffer to all clients. */
export function sendFile(request: FastifyRequest, reply: FastifyReply, file: PublicFile): FastifyReply {
  reply.headers({ etag: file.etag, 'cache-control': file.cacheControl })
  // Proxies that compress mark the tag as weak.
  const has = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//u, ''))
  return has?.includes(file.etag) ? reply.code(304).send() : reply.type(file.type).send(file.bytes)
}
