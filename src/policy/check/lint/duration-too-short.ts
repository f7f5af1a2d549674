import { MIN_SESSION_SECONDS } from '../../grant/grant.ts'
import type { Rule } from './rule.ts'

export const durationTooShort: Rule = {
  id: 'duration-too-short',
  severity: 'error',
  remedy: `write ${MIN_SESSION_SECONDS} or more`,
  *check({ template: { durationSeconds } }) {
    if (durationSeconds < MIN_SESSION_SECONDS) {
      yield {
        path: ['durationSeconds'],
        message: `JD Cloud's STS refuses sessions under ${MIN_SESSION_SECONDS} seconds`,
      }
    }
  },
}
