import type { AssumeRoleRequest } from './credentials.ts'
import { KEY_PROBE_SESSION } from './own-sessions.ts'

/**
 * The AssumeRole that finds out whether new keys work, before a caller's vend depends on them. STS has no call that asks
 * only that, and to wait for the next real vend would make its caller, on the clock of an SDK, pay for a bad pair.
 *
 * Its session must open nothing. A policy of only `Deny` would, but whether STS takes one is not documented, and a good
 * pair must not be refused for the probe's sake. So it has the form of every real grant and the least of the actions:
 * to give up a multipart upload, of an object that nobody else names. It lasts as short as sessions can, and is dropped
 * unread.
 */
export function probeRequest({
  account,
  bucket,
  minSessionSeconds,
}: Readonly<{ account: string; bucket: string; minSessionSeconds: number }>): AssumeRoleRequest {
  const Resource = [`jrn:oss:*:${account}:${bucket}/.oss-vend-key-probe`]
  const Statement = [{ Effect: 'Allow', Action: ['oss:AbortMultipartUpload'], Resource }]
  return {
    roleSessionName: KEY_PROBE_SESSION,
    policy: JSON.stringify({ Version: '3', Statement }),
    durationSeconds: minSessionSeconds,
  }
}
