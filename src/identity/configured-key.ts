import type { IssuerFault } from './address-faults.ts'
import { keyFaults } from './key-faults.ts'
import { hintOf, indexOf, type KeyHint } from './key-index.ts'
import { type ConfiguredOrigin, isFetched, type KeySource } from './key-source.ts'
import { readPublishedKeys } from './published-keys.ts'
import { secretBytes } from './secret-bytes.ts'

/** A key or a key set that is configured. It can be replaced while the service runs. */
export type ConfiguredKey = Readonly<{
  /** The HMAC secret or the PEM that verifies a token with this header. */
  find: (hint: KeyHint) => string | Buffer | undefined
  origin: () => ConfiguredOrigin
  /** Its text, as its file has it. */
  text: () => string
  /** Changes whenever the key does. */
  revision: () => number
  /** What is wrong with a text that is to take its place. */
  check: (text: string) => readonly IssuerFault[]
  /**
   * Puts a checked one in its place, at once and alone: a secret is changed because somebody else may have it, and a
   * token that they made must not be good for a minute more.
   */
  replace: (text: string) => void
}>

/** Undefined for a source whose keys are fetched. `sandbox` lets weak ones through. */
export function createConfiguredKey(
  { origin, algorithms }: KeySource,
  { sandbox = false } = {},
): ConfiguredKey | undefined {
  if (isFetched(origin)) return undefined
  let current: ConfiguredOrigin = origin
  let find = finderOf(origin)
  let revision = 0
  return {
    find: (hint) => find(hint),
    origin: () => current,
    text: () => textOf(current),
    revision: () => revision,
    // Algorithms stay pinned as they are: a key of another kind is another configuration.
    check: (text) =>
      keyFaults({ origin: withText(current, text), algorithms }).filter(({ weak }) => !(weak && sandbox)),
    replace(text) {
      const next = withText(current, text)
      find = finderOf(next)
      current = next
      revision++
    },
  }
}

function textOf(origin: ConfiguredOrigin): string {
  if (origin.kind === 'secret') return origin.secret
  return origin.kind === 'public-key' ? origin.pem : origin.set
}

/** The same origin with another key. */
export function withText(origin: ConfiguredOrigin, text: string): ConfiguredOrigin {
  if (origin.kind === 'secret') return { ...origin, secret: text }
  return origin.kind === 'public-key' ? { ...origin, pem: text } : { ...origin, set: text }
}

function finderOf(origin: ConfiguredOrigin): ConfiguredKey['find'] {
  if (origin.kind === 'public-key') return () => origin.pem
  if (origin.kind === 'secret') {
    // @fastify/jwt keeps its verifiers by keys that are text.
    const key = origin.encoding === 'utf8' ? origin.secret : secretBytes(origin.secret, origin.encoding)
    return () => key
  }
  const index = indexOf(readPublishedKeys(JSON.parse(origin.set)).keys)
  return (hint) => index.get(hintOf(hint))
}
