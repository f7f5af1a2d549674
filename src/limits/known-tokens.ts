/** Tokens that have verified lately, by a part of their signature, which nobody can make up who has not seen it. */
export type KnownTokens = Readonly<{ add(token: string): void; has(token: string): boolean }>

/** To know a token only lets it come to be verified again, as a whole. */
export function createKnownTokens({ maxTokens = 10_000 } = {}): KnownTokens {
  const known = new Set<string>()
  return {
    add(token) {
      const mark = markOf(token)
      known.delete(mark)
      known.add(mark)
      if (known.size <= maxTokens) return
      for (const oldest of known) {
        known.delete(oldest)
        return
      }
    },
    has: (token) => known.has(markOf(token)),
  }
}

// A copy: a slice would keep the whole token in memory.
const markOf = (token: string) => Buffer.from(token.slice(-43)).toString('latin1')
