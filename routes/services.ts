import type { TargetConfig } from '../src/config/targets.ts'
import type { Authenticate } from '../src/identity/authenticate.ts'
import type { Grant } from '../src/policy/grant/grant.ts'
import type { Signing } from '../src/vending/signing.ts'
import type { Vending } from '../src/vending/vending.ts'

/** The services that routes use. */
export type Services = Readonly<{
  authenticate: Authenticate
  vending: Vending
  signing: Signing
  /** The storage that a grant is for. */
  ossOf: (grant: Grant) => TargetConfig['oss']
  /** Whether the service is ready for traffic. It is not ready while no issuer has keys, and while it shuts down. */
  ready: () => boolean
}>
