/**
 * The parts of AWS's SDK that the doctor uses: some megabytes, which `import()` of this file loads. The bundler finds
 * names in a module of our own, and not in one that is CommonJS.
 */
export {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
