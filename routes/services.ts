import type { Config } from '../src/config/config.ts'
import type { Authenticate } from '../src/identity/authenticate.ts'
import type { Vending } from '../src/vending/vending.ts'

/** What the routes stand on. */
export type Services = Readonly<{
  authenticate: Authenticate
  vending: Vending
  oss: Config['oss']
  /** Whether to be sent traffic: not while starting without any issuer's keys, and not while draining. */
  ready: () => boolean
}>
