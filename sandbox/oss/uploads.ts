import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../world.ts'
import { OssError } from './errors.ts'
import type { Metadata } from './store.ts'
import { compareUtf8 } from './utf8-order.ts'

/** S3's highest number of a part. */
export const MAX_PART_NUMBER = 10_000

/** S3's minimum size of every part except the last. */
const MIN_PART_BYTES = 5 * 1024 * 1024

/** A part of an unfinished upload. */
export type Part = Readonly<{ number: number; body: Buffer; etag: string; lastModified: number }>

/** A multipart upload that is neither completed nor aborted. */
export type Upload = Readonly<{
  id: string
  key: string
  /** Epoch milliseconds. */
  initiated: number
  metadata: Metadata
  /** By number, in any order. */
  parts: Map<number, Part>
}>

/** The parts from which a client wants to make an object. */
export type PartList = readonly Readonly<{ number: number; etag: string }>[]

/** The unfinished uploads of a bucket. */
export type Uploads = ReturnType<typeof createUploads>

/** Makes an empty list of uploads. */
export function createUploads(clock: Clock) {
  const uploads = new Map<string, Upload>()

  return {
    create(key: string, metadata: Metadata): Upload {
      const upload = { id: randomBytes(16).toString('hex'), key, initiated: clock(), metadata, parts: new Map() }
      uploads.set(upload.id, upload)
      return upload
    },

    /**
     * An upload opens only with its own key, because the authorisation was for this key.
     *
     * @throws OssError NoSuchUpload
     */
    get(id: string, key: string): Upload {
      const upload = uploads.get(id)
      if (upload?.key !== key) throw new OssError('NoSuchUpload')
      return upload
    },

    end(id: string): void {
      uploads.delete(id)
    },

    /** Sorted by key, then by age. */
    list: (): Upload[] => [...uploads.values()].sort((a, b) => compareUtf8(a.key, b.key) || a.initiated - b.initiated),
  }
}

/**
 * Finds the listed parts of an upload, and no others.
 *
 * @throws OssError InvalidPartOrder, InvalidPart, EntityTooSmall
 */
export function assemble(upload: Upload, list: PartList): { parts: readonly Buffer[]; etag: string } {
  if (list.some(({ number }, i) => number <= (list[i - 1]?.number ?? 0))) throw new OssError('InvalidPartOrder')
  const parts = list.map(({ number, etag }) => {
    const part = upload.parts.get(number)
    if (part?.etag !== etag) throw new OssError('InvalidPart')
    return part
  })
  if (parts.slice(0, -1).some(({ body }) => body.length < MIN_PART_BYTES)) throw new OssError('EntityTooSmall')
  const hash = createHash('md5')
  for (const { etag } of parts) hash.update(etag, 'hex')
  return { parts: parts.map(({ body }) => body), etag: `${hash.digest('hex')}-${parts.length}` }
}
