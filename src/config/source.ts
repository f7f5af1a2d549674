import type { ReadSettings } from './settings.ts'

/** JD Cloud grants no session under an hour; AWS, Ceph and MinIO none under a quarter of an hour. */
export const MIN_SESSION_SECONDS = { jdcloud: 3600, 'aws-sts': 900 } as const
/** Stands for `${account}` where a role's ARN names no account, as Ceph's and MinIO's do not. */
const NO_ACCOUNT = '000000000000'

/** The account in the ARN of a role. */
export const accountOf = (roleArn: string) => roleArn.split(':')[4] || NO_ACCOUNT

/** An STS, as whom it is asked and for which role, and the bounds of a session. */
export type SourceConfig = NonNullable<ReturnType<typeof readSource>>

/**
 * Reads the chosen STS, as whom it is asked and for which role, and the bounds of a session. Undefined if a setting is
 * missing.
 */
export function readSource(values: ReadSettings) {
  return values.CREDENTIAL_SOURCE === 'jdcloud' ? readJdcloud(values) : readAwsSts(values)
}

function readJdcloud(values: ReadSettings) {
  const { JDCLOUD_ACCESS_KEY: accessKey, JDCLOUD_SECRET_KEY: secretKey, JDCLOUD_ACCOUNT_ID: account } = values
  const role = values.JDCLOUD_ROLE_NAME
  if (accessKey === undefined || secretKey === undefined || account === undefined || role === undefined)
    return undefined
  return {
    kind: 'jdcloud',
    endpoint: values.JDCLOUD_STS_ENDPOINT,
    signHost: values.JDCLOUD_STS_SIGN_HOST,
    accessKey,
    secretKey,
    keyCreatedAt: values.JDCLOUD_KEY_CREATED,
    account,
    role: `jrn:iam::${account}:role/${role}`,
    minSessionSeconds: MIN_SESSION_SECONDS.jdcloud,
    maxSessionSeconds: values.JDCLOUD_MAX_SESSION_SECONDS,
    timeZone: values.JDCLOUD_STS_TIME_ZONE,
  } as const
}

function readAwsSts(values: ReadSettings) {
  const { AWS_STS_ACCESS_KEY: accessKey, AWS_STS_SECRET_KEY: secretKey, AWS_STS_ENDPOINT: endpoint } = values
  const role = values.AWS_STS_ROLE_ARN
  const region = values.AWS_STS_REGION ?? values.OSS_REGION
  if (accessKey === undefined || secretKey === undefined || endpoint === undefined) return undefined
  if (role === undefined || region === undefined) return undefined
  return {
    kind: 'aws-sts',
    endpoint,
    region,
    accessKey,
    secretKey,
    keyCreatedAt: values.AWS_STS_KEY_CREATED,
    account: accountOf(role),
    // China and GovCloud have their own. Ceph and MinIO have none, and write `aws` for S3.
    partition: /^arn:(aws[a-z-]*):/u.exec(role)?.[1] ?? 'aws',
    role,
    minSessionSeconds: MIN_SESSION_SECONDS['aws-sts'],
    maxSessionSeconds: values.AWS_STS_MAX_SESSION_SECONDS,
  } as const
}
