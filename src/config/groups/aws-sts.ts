import { z } from 'zod'
import { date, flag, type Group, integer, keyText, text } from '../setting.ts'

/** The AWS-compatible STS that gives sessions. AWS SDKs and EKS read and set other variables than these. */
export const awsSts = {
  AWS_STS_ENDPOINT: {
    source: 'aws-sts',
    help: 'Address of STS, https and without a path, such as https://sts.eu-west-1.amazonaws.com. Ceph and MinIO have it at the address of S3.',
    schema: text,
    required: true,
    rule: 'must be the address of STS',
    remedy: 'set the address of AssumeRole',
  },
  AWS_STS_REGION: {
    source: 'aws-sts',
    help: 'Region that requests to STS are signed for.',
    schema: z.string().regex(/^[a-z0-9-]{1,32}$/u),
    unset: 'the value of OSS_REGION',
    rule: 'must be a region such as us-east-1',
    remedy: 'leave it out if STS has the region of the bucket',
  },
  AWS_STS_ROLE_ARN: {
    source: 'aws-sts',
    help: 'ARN of the role to assume, such as arn:aws:iam::111111111111:role/test-role; Ceph writes arn:aws:iam:::role/test-role. Its permissions limit every session. MinIO ignores it and limits sessions by the permissions of the user.',
    schema: z.string().regex(/^arn:[a-z0-9-]{1,32}:iam::[^:/\s]{0,64}:role\/[\w+=,.@/-]{1,512}$/u),
    required: true,
    rule: 'must be the ARN of the role to assume',
    remedy: 'copy it from the role',
  },
  AWS_STS_ACCESS_KEY: {
    source: 'aws-sts',
    help: 'Access key of the user that may assume the role. Allow this user nothing else.',
    secret: true,
    schema: keyText,
    required: true,
    rule: 'must be the access key of the user that may assume the role, without spaces or line breaks',
    remedy: 'create a user that may only assume the role',
  },
  AWS_STS_SECRET_KEY: {
    source: 'aws-sts',
    help: 'Secret key that belongs to AWS_STS_ACCESS_KEY.',
    secret: true,
    schema: keyText,
    required: true,
    rule: 'must be the secret key that belongs to AWS_STS_ACCESS_KEY, without spaces or line breaks',
    remedy: 'copy it when the access key is created',
  },
  AWS_STS_KEY_CREATED: {
    source: 'aws-sts',
    help: 'Day on which the access key was created, such as 2026-01-31: the metric oss_vend_sts_key_age_seconds counts from it. A file does not tell: Kubernetes writes it anew for each pod.',
    schema: date,
    unset: 'the age of the key is unknown, and the metric absent',
    rule: 'must be a day such as 2026-01-31',
    remedy: 'copy the day from the list of access keys',
  },
  AWS_STS_MAX_SESSION_SECONDS: {
    source: 'aws-sts',
    help: "The role's maximum session duration, in seconds. No session is longer, whatever a template says.",
    ...integer(900, 43_200),
    default: '3600',
    remedy: "set the role's maximum session duration",
  },
  AWS_STS_ALLOW_PLAINTEXT: {
    source: 'aws-sts',
    help: 'Allows plain http to another machine in AWS_STS_ENDPOINT and OSS_ENDPOINT. Anyone on the way can then read and use every session. Use it only in a network that keeps others out.',
    ...flag,
    default: 'false',
    remedy: 'leave it out, and reach the store by https',
  },
} satisfies Group
