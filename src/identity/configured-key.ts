import { type Issuer, type IssuerFault, issuerFaults, type KeyOrigin } from './issuer.ts'

/** The key of an issuer whose key is configured, which can be replaced while the service runs. */
export type ConfiguredKey = Readonly<{
  /** The HMAC secret or the PEM that tokens must verify with. */
  current: () => string
  /** Changes whenever the key does. */
  revision: () => number
  /**
   * Puts another in its place, at once and alone: a secret is changed because somebody else may have it, and a token
   * that they made must not be good for a minute more.
   * @returns what is wrong with it, in which case the old one stays
   */
  replace: (text: string) => readonly IssuerFault[]
}>

/** Undefined for an issuer whose keys are fetched. `sandbox` lets weak ones through. */
export function createConfiguredKey(issuer: Issuer, { sandbox = false } = {}): ConfiguredKey | undefined {
  let keys = issuer.keys
  let revision = 0
  if (textOf(keys) === undefined) return undefined
  return {
    current: () => textOf(keys) ?? '',
    revision: () => revision,
    replace(text) {
      const candidate: KeyOrigin =
        keys.kind === 'secret' ? { kind: 'secret', secret: text } : { kind: 'public-key', pem: text }
      // Algorithms stay pinned as they are: a key of another kind is another configuration.
      const faults = issuerFaults({ ...issuer, keys: candidate }).filter(({ weak }) => !(weak && sandbox))
      if (faults.length > 0) return faults
      keys = candidate
      revision++
      return faults
    },
  }
}

function textOf(keys: KeyOrigin): string | undefined {
  if (keys.kind === 'secret') return keys.secret
  return keys.kind === 'public-key' ? keys.pem : undefined
}
