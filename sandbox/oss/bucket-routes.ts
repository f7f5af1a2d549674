import { deleteBucketCors, getBucketCors, putBucketCors } from './bucket-cors.ts'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.ts'
import { listMultipartUploads } from './list-multipart.ts'
import { listObjects, listObjectsV2 } from './list-objects.ts'
import { deleteObjects } from './multi-delete.ts'
import type { Route } from './route.ts'

/** Operations on the account. */
export const ACCOUNT_ROUTES: readonly Route[] = [
  { method: 'GET', access: 'ListBuckets', handleWithoutBucket: listBuckets },
]

/** Operations on a bucket. JD Cloud has no action for CORS, so only the owner may use these. */
export const BUCKET_ROUTES: readonly Route[] = [
  { method: 'GET', needs: ['location'], access: 'HeadBucket', handle: getBucketLocation },
  { method: 'GET', needs: ['cors'], access: 'owner', handle: getBucketCors },
  { method: 'PUT', needs: ['cors'], access: 'owner', handle: putBucketCors },
  { method: 'DELETE', needs: ['cors'], access: 'owner', handle: deleteBucketCors },
  { method: 'GET', needs: ['uploads'], access: 'ListMultipartUploads', handle: listMultipartUploads },
  { method: 'GET', needs: ['list-type'], access: 'ListObjectsV2', handle: listObjectsV2 },
  { method: 'GET', access: 'ListObjects', handle: listObjects },
  { method: 'HEAD', access: 'HeadBucket', handle: headBucket },
  { method: 'PUT', access: 'owner', handleWithoutBucket: createBucket },
  { method: 'DELETE', access: 'DeleteBucket', handle: deleteBucket },
  { method: 'POST', needs: ['delete'], access: 'each', handle: deleteObjects },
]
