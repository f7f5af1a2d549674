import type { Registry } from 'prom-client'
import { VendError } from '../../src/errors.ts'
import type { Grant } from '../../src/policy/grant/grant.ts'
import type { Needs, Owner } from '../../src/sessions/session-source.ts'
import type { AssumeRoleRequest, CredentialSource, Credentials } from '../../src/sts/credentials.ts'

/** What STS is asked for in tests that do not care. */
export const request = (changes: Partial<AssumeRoleRequest> = {}): AssumeRoleRequest => ({
  roleSessionName: 'user-upload@alice',
  policy: '{"Version":"3","Statement":[]}',
  durationSeconds: 3600,
  ...changes,
})

/** A grant for tests that do not care, under this key in the caches. */
export const grantOf = (key = 'alice', changes: Partial<Grant> = {}): Grant => ({
  template: 'user-upload',
  target: 'default',
  roleSessionName: key,
  policy: '{"Version":"3","Statement":[]}',
  durationSeconds: 3600,
  actions: [],
  resources: [],
  prefixes: [],
  ...changes,
})

/** The key of {@link grantOf}. */
export const keyOf = ({ roleSessionName }: Grant) => roleSessionName

/** What callers need who do not care: the 15 minutes that everybody is promised. */
export const needsOf = (until: number, changes: Partial<Needs> = {}): Needs => ({
  owner: OWNER,
  validityMs: 900_000,
  until,
  ...changes,
})

/** A caller for tests that do not care. */
export const OWNER: Owner = { issuer: 'app', subject: 'alice' }

/** Logs nothing but counts its lines. */
export function quietLogger() {
  const lines: string[] = []
  const note =
    (level: string) =>
    (...args: unknown[]) =>
      void lines.push(`${level}: ${String(args.at(-1))}`)
  return { lines, warn: note('warn'), info: note('info') }
}

/** The value of one metric, summed over the labels that are not given. */
export async function metric(registry: Registry, name: string, labels: Record<string, string> = {}): Promise<number> {
  const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {}
  return values
    .filter((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

/** An STS whose answers the test gives, one by one, when it likes. */
export function heldSource() {
  const asked: {
    request: AssumeRoleRequest
    pay: (credentials: Credentials) => void
    fail: (error: unknown) => void
    signal?: AbortSignal | undefined
  }[] = []
  const source: CredentialSource = {
    assumeRole: (request, options) =>
      new Promise((pay, fail) => void asked.push({ request, pay, fail, signal: options?.signal })),
    close: async () => {},
  }
  return { asked, source }
}

/** An STS that answers at once, with what `answer` returns or throws; each session has a number of its own. */
export function countingSource(now: () => number, answer: (call: number) => unknown = () => undefined) {
  const asked: AssumeRoleRequest[] = []
  const source: CredentialSource = {
    async assumeRole(request) {
      asked.push(request)
      await answer(asked.length)
      return credentials(asked.length, now() + request.durationSeconds * 1000)
    },
    close: async () => {},
  }
  return { asked, source }
}

export const credentials = (number: number, expiresAt: number): Credentials => ({
  accessKey: `access-${number}`,
  secretKey: `secret-${number}`,
  sessionToken: `token-${number}`,
  expiresAt,
})

/** The source as the only target's. */
export const onlyTarget = (source: CredentialSource, quota = 'scope') => new Map([['default', { source, quota }]])

/** The code of the error that a promise brings, with what a caller is told about time; undefined when it brings none. */
export async function failure(promise: unknown) {
  try {
    await promise
    return undefined
  } catch (error) {
    if (!(error instanceof VendError)) throw error
    const { code, retryAfterSeconds } = error
    return retryAfterSeconds === undefined ? { code } : { code, retryAfterSeconds }
  }
}

export const throttled = (retryAfterSeconds?: number) =>
  new VendError('upstream_unavailable', retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
export const denied = () => new VendError('upstream_denied')
export const timedOut = () => new VendError('upstream_timeout')
