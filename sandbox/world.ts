import type { Policy } from './iam/policy.ts'
import { createSessionStore, type SessionStore } from './sessions.ts'

/** Now, in epoch milliseconds. */
export type Clock = () => number

/** A user with long-lived keys. The owner of the account has no policies and may do everything. */
export type User = Readonly<{
  name: string
  accessKey: string
  secretKey: string
  /** `owner` for the account itself. */
  policies: readonly Policy[] | 'owner'
}>

/** An identity without keys. `policies` limit each of its sessions; `trusts` names the sub-users that may assume it. */
export type Role = Readonly<{
  name: string
  jrn: string
  policies: readonly Policy[]
  trusts: readonly string[]
  maxSessionSeconds: number
}>

/** One JD Cloud account in memory. OSS accepts the sessions that STS issues. */
export type World = Readonly<{
  accountId: string
  region: string
  /** Where the buckets lie. OSS serves them only if it is its own region. */
  bucketRegion: string
  clock: Clock
  /** By access key. */
  users: ReadonlyMap<string, User>
  /** By JRN. */
  roles: ReadonlyMap<string, Role>
  /** Names of the existing buckets. */
  buckets: readonly string[]
  sessions: SessionStore
}>

/** Made for the sandbox and worthless anywhere else. */
export const SANDBOX_KEYS = {
  owner: { accessKey: 'JDC_SANDBOXOWNER00000000000000000', secretKey: 'SANDBOXOWNERSECRETKEY00000000000' },
  testIam: { accessKey: 'JDC_SANDBOXTESTIAM000000000000000', secretKey: 'SANDBOXTESTIAMSECRETKEY000000000' },
} as const

const REGION = 'cn-north-1'

const allow = (Action: readonly string[], Resource: string): Policy => ({
  Version: '3',
  Statement: [{ Effect: 'Allow', Action, Resource: [Resource] }],
})

/** Differences from the documented scenario. */
export type Scenario = Readonly<{
  clock?: Clock
  maxSessionSeconds?: number
  rolePolicies?: readonly Policy[]
  /** For a second account beside the documented one. */
  accountId?: string
  bucket?: string
  /** Of the buckets, if it is not the region of this OSS. */
  bucketRegion?: string
  /** Names of the sub-users that the role trusts. */
  trusts?: readonly string[]
}>

/**
 * Account 111111111111 with the bucket `test-app`, unless the scenario names others; the role `test-role` and the sub-user `test-iam`, who may only
 * assume this role. The role also has the permissions for the shipped templates.
 */
export function createWorld({
  clock = Date.now,
  maxSessionSeconds = 43_200,
  rolePolicies,
  accountId = '111111111111',
  bucket = 'test-app',
  bucketRegion = REGION,
  trusts = ['test-iam'],
}: Scenario = {}): World {
  const roleJrn = `jrn:iam::${accountId}:role/test-role`
  const users: User[] = [
    { name: 'owner', ...SANDBOX_KEYS.owner, policies: 'owner' },
    { name: 'test-iam', ...SANDBOX_KEYS.testIam, policies: [allow(['sts:assumeRole'], roleJrn)] },
  ]
  const role: Role = {
    name: 'test-role',
    jrn: roleJrn,
    policies: rolePolicies ?? [
      allow(
        [
          'oss:PutObject',
          'oss:GetObject',
          'oss:DeleteObject',
          'oss:AbortMultipartUpload',
          'oss:ListMultipartUploadParts',
        ],
        `jrn:oss:*:${accountId}:${bucket}/*`,
      ),
    ],
    trusts,
    maxSessionSeconds,
  }
  return {
    accountId,
    region: REGION,
    bucketRegion,
    clock,
    users: new Map(users.map((user) => [user.accessKey, user])),
    roles: new Map([[role.jrn, role]]),
    buckets: [bucket],
    sessions: createSessionStore(clock),
  }
}
