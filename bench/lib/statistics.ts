/** The value at a rank (0 to 1), by nearest rank; NaN without values. */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

/** The median; NaN without values. */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length / 2
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (below + above) / 2
}

/** Measures two things in turns, A B B A A B …, so that a busy machine affects both, and neither is always first. */
export async function inTurns<T>(
  rounds: number,
  ours: () => Promise<T>,
  rival: () => Promise<T>,
): Promise<Readonly<{ ours: readonly T[]; rival: readonly T[] }>> {
  const measured: { ours: T[]; rival: T[] } = { ours: [], rival: [] }
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 1) measured.rival.push(await rival())
    measured.ours.push(await ours())
    if (round % 2 === 0) measured.rival.push(await rival())
  }
  return measured
}
