/** The action for each S3 operation, from the table in JD Cloud's documentation. */
export const OSS_ACTIONS = {
  PutObject: 'oss:PutObject',
  PostObject: 'oss:PutObject',
  CopyObject: 'oss:PutObject',
  CreateMultipartUpload: 'oss:PutObject',
  UploadPart: 'oss:PutObject',
  UploadPartCopy: 'oss:PutObject',
  CompleteMultipartUpload: 'oss:PutObject',
  GetObject: 'oss:GetObject',
  HeadObject: 'oss:GetObject',
  DeleteObject: 'oss:DeleteObject',
  AbortMultipartUpload: 'oss:AbortMultipartUpload',
  ListParts: 'oss:ListMultipartUploadParts',
  ListObjects: 'oss:ListBucket',
  ListObjectsV2: 'oss:ListBucket',
  HeadBucket: 'oss:ListBucket',
  ListMultipartUploads: 'oss:ListBucketMultipartUploads',
  DeleteBucket: 'oss:DeleteBucket',
  ListBuckets: 'oss:ListAllMyBuckets',
} as const

/** An S3 operation that some action allows. */
export type Operation = keyof typeof OSS_ACTIONS
