/** Waiters in lines, one line an owner; they are served in turns: the first of each line, then the second of each. */
export type Lines<W extends Readonly<{ owner: string }>> = Readonly<{
  add(waiter: W): void
  remove(waiter: W): void
  /** Takes out the waiter whose turn it is. */
  next(): W | undefined
  /** At most how many are served before one more of this owner. */
  ahead(owner: string): number
  /** All waiters in the order in which they will be served. */
  inOrder(): readonly W[]
  /** How many wait, and how many owners they have. */
  size(): number
  owners(): number
}>

export function createLines<W extends Readonly<{ owner: string }>>(): Lines<W> {
  // In the order of their turns: an owner who was served goes to the end.
  const lines = new Map<string, Set<W>>()
  let size = 0

  function remove(waiter: W): void {
    const line = lines.get(waiter.owner)
    if (!line?.delete(waiter)) return
    size -= 1
    if (line.size === 0) lines.delete(waiter.owner)
  }

  return {
    add(waiter) {
      const line = lines.get(waiter.owner)
      if (line) line.add(waiter)
      else lines.set(waiter.owner, new Set([waiter]))
      size += 1
    },
    remove,
    next() {
      const [turn] = lines
      if (!turn) return undefined
      const [owner, line] = turn
      const [waiter] = line
      if (!waiter) return undefined
      remove(waiter)
      if (lines.delete(owner)) lines.set(owner, line)
      return waiter
    },
    ahead(owner) {
      const own = lines.get(owner)?.size ?? 0
      if (own === 0) return lines.size
      let ahead = 0
      for (const line of lines.values()) ahead += Math.min(line.size, own + 1)
      return ahead
    },
    inOrder() {
      const rounds: W[][] = []
      for (const line of lines.values()) {
        let round = 0
        for (const waiter of line) {
          const ofRound = rounds[round] ?? []
          rounds[round] = ofRound
          ofRound.push(waiter)
          round += 1
        }
      }
      return rounds.flat()
    },
    size: () => size,
    owners: () => lines.size,
  }
}
