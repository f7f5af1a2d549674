import type { Rule } from './rule.ts'

/** The role's maximum cuts sessions short, so callers get less than the template says. */
export const durationOverRole: Rule = {
  id: 'duration-over-role',
  severity: 'warning',
  remedy: "shorten it, or raise the role's maximum and JDCLOUD_MAX_SESSION_SECONDS or AWS_STS_MAX_SESSION_SECONDS",
  *check({ template: { durationSeconds }, settings: { maxSessionSeconds } }) {
    if (durationSeconds > maxSessionSeconds) {
      yield { path: ['durationSeconds'], message: `the role's sessions last at most ${maxSessionSeconds} seconds` }
    }
  },
}
