import type { BucketContext, Context } from './context.ts'
import { OssError } from './errors.ts'
import { type OssResponse, xmlResponse } from './response.ts'
import { createBucket as newBucket } from './store.ts'

/** GET service */
export function listBuckets({ store, world }: Context): OssResponse {
  return xmlResponse('ListAllMyBucketsResult', {
    Owner: { ID: world.accountId, DisplayName: world.accountId },
    Buckets: {
      Bucket: [...store.values()].map(({ name, createdAt }) => ({
        Name: name,
        CreationDate: new Date(createdAt).toISOString(),
      })),
    },
  })
}

/** HEAD bucket */
export function headBucket({ world }: BucketContext): OssResponse {
  return { status: 200, headers: { 'x-amz-bucket-region': world.region } }
}

/** GET bucket?location */
export function getBucketLocation({ world }: BucketContext): OssResponse {
  return xmlResponse('LocationConstraint', { '#text': world.region })
}

/** PUT bucket: only for a bucket of the world that was deleted, because the world's list of buckets is fixed. */
export function createBucket({ store, world, request }: Context): OssResponse {
  const name = request.bucket ?? ''
  if (store.has(name)) throw new OssError('BucketAlreadyOwnedByYou')
  if (!world.buckets.includes(name)) throw new OssError('NotImplemented', 'This account gets no more buckets.')
  store.set(name, newBucket(name, world.clock))
  return { status: 200, headers: { location: `/${name}` } }
}

/** DELETE bucket */
export function deleteBucket({ store, bucket }: BucketContext): OssResponse {
  if (bucket.keys().length > 0) throw new OssError('BucketNotEmpty')
  store.delete(bucket.name)
  return { status: 204 }
}
