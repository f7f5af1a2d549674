import { createRequire } from 'node:module'

/** The part of `jdcloud-sdk-js` that the benchmarks use; the SDK has no types. */
export type OfficialSdk = {
  config: { update(options: { logger: (text: string) => void }): void }
  STS: new (options: {
    credentials: { accessKeyId: string; secretAccessKey: string }
    endpoint: { protocol: 'http' | 'https'; host: string }
    logger: (text: string) => void
  }) => {
    assumeRole(options: {
      assumeRoleInfo: { roleJrn: string; roleSessionName: string; policy: string; durationSeconds: number }
    }): Promise<{ result: { credentials: object } }>
  }
  /** Sends the request. */
  fetch: (request: unknown) => Promise<unknown>
}

/** The SDK's signer. It writes into the request that it was made for. */
export type OfficialSigner = {
  addAuthorization(credentials: object, date?: Date): void
  readonly request: {
    readonly path: string
    readonly request: {
      readonly method: string
      readonly headers: Iterable<readonly [string, string]>
      readonly body: string
    }
  }
}

/** `npm ci --prefix test/interop` installs the SDK, so that its dependencies are not ours. */
const require = createRequire(new URL('../../test/interop/package.json', import.meta.url))
const silent = () => {}

/** The SDK prints what it signs by default; this makes it silent. */
export function loadSdk(): OfficialSdk {
  const sdk: OfficialSdk = require('jdcloud-sdk-js')
  sdk.config.update({ logger: silent })
  return sdk
}

/** The SDK's STS client for a URL. */
export const officialSts = (sdk: OfficialSdk, url: string) =>
  new sdk.STS({
    credentials: { accessKeyId: 'bench-access-key', secretAccessKey: 'bench-secret-key' },
    endpoint: { protocol: 'http', host: new URL(url).host },
    logger: silent,
  })

/** The class of the SDK's signers. */
export function loadSigner(): { prototype: OfficialSigner } {
  return require('jdcloud-sdk-js/src/lib/signers/v2.js')
}
