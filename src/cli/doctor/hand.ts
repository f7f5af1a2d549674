import type { TargetConfig } from '../../config/targets.ts'
import type { Credentials } from '../../sts/credentials.ts'
import { DOCTOR_SESSION } from '../../sts/own-sessions.ts'
import type { Assume } from './assume-role.ts'
import { PROBE } from './probe-keys.ts'
import type { Store } from './s3.ts'

/** What probes of one target share. */
export type ProbeContext = Readonly<{
  oss: TargetConfig['oss']
  assume: Assume
  open: (credentials: Credentials) => Promise<Store>
  minSessionSeconds: number
  /** Tells the objects of this run from those of another. */
  id: string
}>

/**
 * The doctor's own hand: a session that may write and delete its objects beside these keys, and no others, as far as the
 * role allows it. It lays out what a template can only read, and takes away what a template cannot delete.
 */
export async function openHand(
  keys: readonly string[],
  { oss, assume, open, minSessionSeconds }: ProbeContext,
): Promise<Store | undefined> {
  const names = keys.map((key) => `${key.slice(0, key.lastIndexOf(PROBE) + PROBE.length)}*`)
  const Resource = [...new Set(names)].map((name) => `jrn:oss:*:${oss.account}:${oss.bucket}/${name}`)
  const Statement = [{ Effect: 'Allow', Action: ['oss:PutObject', 'oss:DeleteObject'], Resource }]
  const policy = JSON.stringify({ Version: '3', Statement })
  const { credentials } = await assume({
    roleSessionName: DOCTOR_SESSION,
    policy,
    durationSeconds: minSessionSeconds,
  })
  return credentials && open(credentials)
}

/** Deletes objects of the doctor, and returns the keys of those that are still there. */
export async function takeAway(keys: Iterable<string>, ...stores: readonly (Store | undefined)[]): Promise<string[]> {
  const left: string[] = []
  for (const key of keys) {
    let gone = false
    for (const store of stores) gone ||= (await store?.delete(key))?.ok ?? false
    if (!gone) left.push(key)
  }
  return left
}
