/** The OSS actions, each with the level of its resource. */
export const OSS_ACTIONS = {
  'oss:PutObject': 'object',
  'oss:GetObject': 'object',
  'oss:DeleteObject': 'object',
  'oss:AbortMultipartUpload': 'object',
  'oss:ListMultipartUploadParts': 'object',
  'oss:ListBucket': 'bucket',
  'oss:ListBucketMultipartUploads': 'bucket',
  'oss:DeleteBucket': 'bucket',
  'oss:ListAllMyBuckets': 'service',
} as const

export type OssAction = keyof typeof OSS_ACTIONS

/** The action that JD Cloud OSS checks for each S3 operation. A copy also needs `oss:GetObject` on its source. */
export const OPERATION_ACTIONS = {
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
} as const satisfies Record<string, OssAction>

/** An S3 operation as AWS's API names it. */
export type Operation = keyof typeof OPERATION_ACTIONS

export function isOperation(name: string): name is Operation {
  return Object.hasOwn(OPERATION_ACTIONS, name)
}

/** The JRN that an operation touches: an object, the bucket, or `*` for `ListBuckets`. */
export function operationResource(
  operation: Operation,
  where: { region: string; account: string; bucket: string; key?: string },
): string {
  const prefix = `jrn:oss:${where.region}:${where.account}:`
  const level = OSS_ACTIONS[OPERATION_ACTIONS[operation]]
  if (level === 'service') return `${prefix}*`
  if (level === 'bucket') return prefix + where.bucket
  return `${prefix}${where.bucket}/${where.key ?? ''}`
}
