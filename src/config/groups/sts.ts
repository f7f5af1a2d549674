import { z } from 'zod'
import { flag, type Group, integer, SOURCES } from '../setting.ts'

/** Which STS gives the sessions, and how it is called. */
export const sts = {
  CREDENTIAL_SOURCE: {
    help: 'STS that gives the sessions: JD Cloud, or an AWS-compatible one such as Ceph, MinIO or AWS. See "Other stores" in docs/configuration.md.',
    range: `One of ${SOURCES.join(', ')}`,
    schema: z.enum(SOURCES),
    default: 'jdcloud',
    rule: 'must be jdcloud or aws-sts',
    remedy: 'leave it out for JD Cloud',
  },
  SESSION_BOUND_TO_TOKEN: {
    help: 'With true, no session outlives its token. JD Cloud has no session under one hour, so its tokens must be valid for more than one hour.',
    ...flag,
    default: 'false',
    remedy:
      'with true no session outlives its token, and a token must be valid for more than one hour: see docs/configuration.md',
  },
  STS_CONNECT_TIMEOUT_MS: {
    help: 'Milliseconds to connect to STS.',
    ...integer(50, 5000),
    default: '1000',
    remedy: 'set the time to connect to STS',
  },
  STS_TIMEOUT_MS: {
    help: 'Milliseconds for a whole call to STS.',
    ...integer(100, 8000),
    default: '4000',
    remedy: 'set the time for a whole STS call',
  },
  STS_CONNECTIONS: {
    help: 'Most calls to the STS of a target at a time. Each has a connection of its own.',
    ...integer(1, 1024),
    default: '32',
    remedy: 'set the most calls to STS at a time',
  },
  STS_MAX_RPS: {
    help: 'Most calls to the STS of an account a second: of all replicas together if they share a Redis, otherwise of each replica. Set the quota of your account, minus what its other users need.',
    ...integer(1, 10_000),
    default: '100',
    remedy: 'set the quota of your account, minus what its other users need',
  },
  VEND_DEADLINE_MS: {
    help: 'Most milliseconds that a caller waits for credentials, including repeated calls to STS. A call that has begun continues after that, so a caller that asks again finds its session.',
    ...integer(500, 8000),
    default: '5000',
    remedy: 'set the longest time that a caller waits for credentials',
  },
} satisfies Group
