import { clockFault } from '../../lib/clock-offset.ts'
import { failed, notChecked, type Outcome, passed } from './check.ts'
import type { Reached } from './reach.ts'

/** Whether the clock of this machine agrees with that of STS: by a wrong one, every signature is wrong. */
export function checkClock({ clockOffsetSeconds: seconds }: Reached): Outcome<true> {
  if (seconds === undefined) return { lines: [notChecked('the answer of STS told no time')], value: true }
  const fault = clockFault(seconds)
  if (!fault) {
    const apart = seconds === 0 ? 'agrees with the clock of STS' : `is ${Math.abs(seconds)} s apart from that of STS`
    return { lines: [passed(apart)], value: true }
  }
  return { lines: [failed(`is ${Math.round(Math.abs(seconds) / 60)} minutes apart from that of STS`, fault.hint)] }
}
