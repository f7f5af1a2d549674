import { copyObject } from './copy.ts'
import { listParts } from './list-multipart.ts'
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from './multipart.ts'
import { deleteObject, getObject, putObject } from './objects.ts'
import type { Route } from './route.ts'

const PART = ['partNumber', 'uploadId']
/** Operations on an object. Operations with more parameters come first. */
export const OBJECT_ROUTES: readonly Route[] = [
  { method: 'PUT', needs: PART, copies: true, access: 'UploadPartCopy', handle: uploadPartCopy },
  { method: 'PUT', needs: PART, access: 'UploadPart', handle: uploadPart },
  { method: 'PUT', copies: true, access: 'CopyObject', handle: copyObject },
  { method: 'PUT', access: 'PutObject', handle: putObject },
  { method: 'GET', needs: ['uploadId'], access: 'ListParts', handle: listParts },
  { method: 'GET', takes: ['partNumber'], access: 'GetObject', handle: getObject },
  { method: 'HEAD', takes: ['partNumber'], access: 'HeadObject', handle: getObject },
  { method: 'DELETE', needs: ['uploadId'], access: 'AbortMultipartUpload', handle: abortMultipartUpload },
  { method: 'DELETE', access: 'DeleteObject', handle: deleteObject },
  { method: 'POST', needs: ['uploads'], access: 'CreateMultipartUpload', handle: createMultipartUpload },
  { method: 'POST', needs: ['uploadId'], access: 'CompleteMultipartUpload', handle: completeMultipartUpload },
]
