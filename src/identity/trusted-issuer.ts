import type { ConfiguredKey } from './configured-key.ts'
import type { Issuer } from './issuer.ts'
import type { KeySet } from './key-set.ts'

/** An issuer with its configured key, or with the keys that are fetched for it. */
export type TrustedIssuer = Readonly<{ issuer: Issuer; key?: ConfiguredKey | undefined; keySet?: KeySet | undefined }>
