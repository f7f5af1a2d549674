import { createHash } from 'node:crypto'
import type { Clock } from '../world.ts'
import type { Checksum } from './checksums.ts'
import type { CorsRule } from './cors-rules.ts'
import { createUploads, type Uploads } from './uploads.ts'
import { compareUtf8 } from './utf8-order.ts'

/** Headers that are stored with an object and returned with it, by lower-case name. */
export type Metadata = ReadonlyMap<string, string>

/** An object. It is only replaced, never changed. */
export type StoredObject = Readonly<{
  key: string
  body: Buffer
  /** Without quotes. */
  etag: string
  /** Epoch milliseconds. */
  lastModified: number
  metadata: Metadata
  /** The checksum with which the client sent it. */
  checksum?: Checksum | undefined
  /** Sizes of the parts in which the client sent it. */
  partSizes?: readonly number[]
}>

/** Optional facts about an object. `etag` is the body's MD5, unless it is given, as for multipart uploads. */
type More = Partial<Pick<StoredObject, 'etag' | 'checksum' | 'partSizes'>>

/** A bucket with its objects, unfinished uploads and CORS rules. */
export type Bucket = Readonly<{
  name: string
  createdAt: number
  put(key: string, body: Buffer, metadata?: Metadata, more?: More): StoredObject
  get(key: string): StoredObject | undefined
  delete(key: string): void
  /** All keys, in the order of their UTF-8 bytes. */
  keys(): readonly string[]
  uploads: Uploads
  cors: { rules: readonly CorsRule[] | undefined }
}>

/** The existing buckets by name. */
export type Store = Map<string, Bucket>

/** The buckets of an account, all empty. */
export function createStore(names: readonly string[], clock: Clock): Store {
  return new Map(names.map((name) => [name, createBucket(name, clock)]))
}

/** A new, empty bucket. */
export function createBucket(name: string, clock: Clock): Bucket {
  const objects = new Map<string, StoredObject>()
  let sorted: readonly string[] | undefined

  return {
    name,
    createdAt: clock(),
    put(key, body, metadata = new Map(), more = {}) {
      const object = { key, body, etag: md5(body), ...more, lastModified: clock(), metadata }
      if (!objects.has(key)) sorted = undefined
      objects.set(key, object)
      return object
    },
    get: (key) => objects.get(key),
    delete(key) {
      if (objects.delete(key)) sorted = undefined
    },
    keys() {
      sorted ??= [...objects.keys()].sort(compareUtf8)
      return sorted
    },
    uploads: createUploads(clock),
    cors: { rules: undefined },
  }
}

/** MD5 in hexadecimal, as S3 uses it for ETags. */
export function md5(body: Buffer): string {
  return createHash('md5').update(body).digest('hex')
}
