/** The result of a step: a status or code to compare, and text to show. */
export type Outcome = Readonly<{ got: string; shown?: string }>

/** Prints each step with its result, and counts the unexpected results. */
export type Transcript = Readonly<{
  heading(text: string): void
  step(what: string, expected: string, outcome: Outcome | Promise<Outcome>): Promise<void>
  /** How many steps passed and failed. */
  totals(): { passed: number; failed: number }
}>

/** Writes to `out`, in colour if wanted. */
export function createTranscript(out: (line: string) => void, colour: boolean): Transcript {
  let passed = 0
  let failed = 0
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  return {
    heading: (text) => out(`\n${paint(1, text)}`),
    async step(what, expected, outcome) {
      const { got, shown = got } = await outcome
      const good = got === expected
      if (good) passed++
      else failed++
      const line = `  ${good ? paint(32, '✓') : paint(31, '✗')} ${what.padEnd(62)} ${paint(2, '→')} ${shown}`
      out(good ? line : `${line}   ${paint(31, `expected ${expected}`)}`)
    },
    totals: () => ({ passed, failed }),
  }
}
