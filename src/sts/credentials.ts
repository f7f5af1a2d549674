import type { SigningKeys } from '../lib/signature-v4.ts'

/** The answer of STS. Never logged. */
export type Credentials = Readonly<{
  accessKey: string
  secretKey: string
  sessionToken: string
  /** Epoch milliseconds; never later than when OSS stops honouring them. */
  expiresAt: number
}>

/** A request to a credential source. */
export type AssumeRoleRequest = Readonly<{
  roleSessionName: string
  /** JSON text. There is no way to ask without one: the session would get all that the role has. */
  policy: string
  durationSeconds: number
}>

/** Turns a grant into credentials. Fails with a `VendError` whose code starts with `upstream_`. */
export type CredentialSource = Readonly<{
  /** Nobody waits for the answer any more once the signal is given. */
  assumeRole(request: AssumeRoleRequest, options?: Readonly<{ signal?: AbortSignal }>): Promise<Credentials>
  close(): Promise<void>
}>

/** A source whose long-lived keys can be replaced while it is asked. */
export type KeyedSource = CredentialSource &
  Readonly<{
    keys: () => SigningKeys
    /**
     * Signs with these from the next call on, once STS has granted them `probe`.
     * @throws {VendError} `upstream_denied` when it has not, another `upstream_` when that could not be found out; the
     * old keys stay
     */
    replaceKeys(keys: SigningKeys, probe: AssumeRoleRequest): Promise<void>
  }>
