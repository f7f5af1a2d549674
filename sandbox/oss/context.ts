import type { z } from 'zod'
import type { Operation } from '../iam/oss-actions.ts'
import type { World } from '../world.ts'
import type { Touched } from './access.ts'
import { OssError } from './errors.ts'
import type { OssRequest } from './request.ts'
import type { Bucket, Store, StoredObject } from './store.ts'

/** Input of an operation, after authentication. */
export type Context = Readonly<{
  world: World
  store: Store
  request: OssRequest
  /** Whether the caller may do something in addition to the authorised operation. */
  may(operation: Operation, touched: Touched): boolean
  /** The body, after its digests were checked, except a checksum. */
  readBody(): Promise<Buffer>
  /** The body as an XML document. A checksum in the headers belongs to the document, or to the object that it names. */
  readXml<T>(schema: z.ZodType<T>, checksumOf?: 'document' | 'object'): Promise<T>
}>

/** Input of an operation on an existing bucket, or on an object in it. */
export type BucketContext = Context & Readonly<{ bucket: Bucket }>

/**
 * The object with this key. Only callers who may list the bucket learn that an object does not exist.
 *
 * @throws OssError NoSuchKey, AccessDenied
 */
export function findObject({ may }: Context, bucket: Bucket, key: string): StoredObject {
  const object = bucket.get(key)
  if (object) return object
  throw new OssError(may('ListObjectsV2', { bucket: bucket.name }) ? 'NoSuchKey' : 'AccessDenied')
}

/**
 * Reads a parameter that is a whole number within bounds.
 *
 * @throws OssError InvalidArgument
 */
export function integerParameter(
  { query }: OssRequest,
  name: string,
  { fallback, min = 0, max = 2 ** 31 - 1 }: { fallback?: number; min?: number; max?: number },
): number {
  const text = query.get(name)
  if (text === undefined && fallback !== undefined) return fallback
  const value = /^\d{1,10}$/u.test(text ?? '') ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new OssError('InvalidArgument', `${name} must be an integer between ${min} and ${max}.`)
}
