import { isSafePattern } from 'redos-detector'

/** Paths that a matcher may try for one text before a pattern counts as dangerous; ordinary ones need one or two. */
const MAX_SCORE = 50
/** Keeps the analysis itself short: what it cannot decide in so many steps is taken for dangerous. */
const MAX_STEPS = 2000

/** Whether a text could make the pattern, anchored at both ends, backtrack catastrophically. */
export function backtracks(source: string): boolean {
  const options = { maxScore: MAX_SCORE, maxSteps: MAX_STEPS, unicode: true, downgradePattern: false }
  return !isSafePattern(`^(?:${source})$`, options).safe
}
