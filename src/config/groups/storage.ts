import { z } from 'zod'
import { type Group, text } from '../setting.ts'

/** The bucket, and the templates with permissions for it. */
export const storage = {
  OSS_REGION: {
    help: 'Region of the bucket, such as cn-north-1.',
    schema: z.string().regex(/^[a-z]{2}-[a-z]+-\d{1,2}$/u),
    required: { unless: 'TARGETS_FILE' },
    rule: 'must be a region such as cn-north-1',
    remedy: "set the bucket's region",
  },
  OSS_BUCKET: {
    help: 'Name of the bucket, such as test-app.',
    schema: z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/u),
    required: { unless: 'TARGETS_FILE' },
    rule: 'must be a bucket name: 3 to 63 of a-z, 0-9 and -',
    remedy: 'set the name only, without a path',
  },
  OSS_ENDPOINT: {
    help: 'Address of OSS as clients reach it, https. Required with CREDENTIAL_SOURCE=aws-sts.',
    schema: text,
    unset: 'https://s3.REGION.jdcloud-oss.com',
    rule: 'must be the address of OSS as clients reach it',
    remedy: "leave it out for the region's public endpoint",
  },
  POLICIES_DIR: {
    help: 'Folder of policy templates. The service lints and tests a changed set as a whole. A good set replaces the old one; a bad set is refused, and the old one stays.',
    schema: text,
    unset: 'the shipped templates, in policies/',
    rule: 'must be a directory of policy templates',
    remedy: 'mount your own, or leave it out for the shipped ones',
  },
} satisfies Group
