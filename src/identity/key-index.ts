import type { PublishedKey } from './published-keys.ts'

/** The members of a token's header that choose its key. `jku`, `x5u`, `jwk` and `x5c` are never used. */
export type KeyHint = Readonly<{ alg: string; kid?: string | undefined }>

export const hintOf = ({ alg, kid }: KeyHint): string => JSON.stringify([alg, kid])

/** The SPKI PEM for each hint; undefined where a token without `kid` could mean several. */
export function indexOf(keys: readonly PublishedKey[]): ReadonlyMap<string, string | undefined> {
  const index = new Map<string, string | undefined>()
  for (const { kid, algorithms, pem } of keys) {
    for (const alg of algorithms) {
      if (kid !== undefined) index.set(hintOf({ alg, kid }), pem)
      const anonymous = hintOf({ alg })
      index.set(anonymous, index.has(anonymous) && index.get(anonymous) !== pem ? undefined : pem)
    }
  }
  return index
}
