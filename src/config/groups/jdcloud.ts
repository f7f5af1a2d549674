import { z } from 'zod'
import { TIME_ZONES } from '../../sts/expiration.ts'
import { date, type Group, integer, keyText, text } from '../setting.ts'

/** The JD Cloud account that gives sessions. */
export const jdcloud = {
  JDCLOUD_ACCESS_KEY: {
    source: 'jdcloud',
    help: 'Access key of the sub-user, such as test-iam. Allow this sub-user only to assume the role.',
    secret: true,
    schema: keyText,
    required: true,
    rule: 'must be the access key of the sub-user that may assume the role, without spaces or line breaks',
    remedy: 'create it in the IAM console',
  },
  JDCLOUD_SECRET_KEY: {
    source: 'jdcloud',
    help: 'Secret key that belongs to JDCLOUD_ACCESS_KEY.',
    secret: true,
    schema: keyText,
    required: true,
    rule: 'must be the secret key that belongs to JDCLOUD_ACCESS_KEY, without spaces or line breaks',
    remedy: 'copy it when the access key is created',
  },
  JDCLOUD_KEY_CREATED: {
    source: 'jdcloud',
    help: 'Day on which the access key was created, such as 2026-01-31: the metric oss_vend_sts_key_age_seconds counts from it. A file does not tell: Kubernetes writes it anew for each pod.',
    schema: date,
    unset: 'the age of the key is unknown, and the metric absent',
    rule: 'must be a day such as 2026-01-31',
    remedy: 'copy the day from the list of access keys',
  },
  JDCLOUD_ACCOUNT_ID: {
    source: 'jdcloud',
    help: 'Account number, digits only, such as 111111111111.',
    schema: z.string().regex(/^\d{1,20}$/u),
    required: true,
    rule: 'must be the account number, digits only',
    remedy: 'see the account page of the console',
  },
  JDCLOUD_ROLE_NAME: {
    source: 'jdcloud',
    help: 'Name of the role to assume, such as test-role; not its JRN. Its permissions limit every session: oss-vend iam prints the least that your templates need.',
    schema: z.string().regex(/^[A-Za-z0-9+=,.@_-]{1,64}$/u),
    required: true,
    rule: 'must be the name of the role to assume',
    remedy: 'give the name, not the JRN',
  },
  JDCLOUD_STS_ENDPOINT: {
    source: 'jdcloud',
    help: 'Address of STS, https and without a path.',
    schema: text,
    default: 'https://sts.jdcloud-api.com',
    rule: 'must be the address of STS',
    remedy: 'leave it out for JD Cloud',
  },
  JDCLOUD_STS_SIGN_HOST: {
    source: 'jdcloud',
    help: 'Host that the signature is for, such as sts.jdcloud-api.com, if JDCLOUD_STS_ENDPOINT is a proxy that puts this host into the Host header.',
    schema: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/iu)
      .transform((host) => host.toLowerCase()),
    unset: 'the host of JDCLOUD_STS_ENDPOINT',
    rule: 'must be the host that STS sees in the Host header, without a scheme or a path',
    remedy: 'leave it out unless a proxy in front of STS changes the Host header',
  },
  JDCLOUD_MAX_SESSION_SECONDS: {
    source: 'jdcloud',
    help: "The role's maximum session duration, in seconds. No session is longer, whatever a template says.",
    ...integer(3600, 43_200),
    default: '3600',
    remedy: "set the role's maximum session duration",
  },
  JDCLOUD_STS_TIME_ZONE: {
    source: 'jdcloud',
    help: 'Time zone of the expirations that STS sends, because they do not name it. auto learns it from STS, with one short session at start if the role allows sessions over 7 h 44 min.',
    range: `One of auto, ${TIME_ZONES.join(', ')}`,
    schema: z.enum(['auto', ...TIME_ZONES]),
    default: 'auto',
    rule: 'must be auto, UTC or +08:00',
    remedy: 'leave it out to learn it from STS',
  },
} satisfies Group
