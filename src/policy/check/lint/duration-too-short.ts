import type { Rule } from './rule.ts'

export const durationTooShort: Rule = {
  id: 'duration-too-short',
  severity: 'error',
  remedy: 'write a longer one: JD Cloud has 3600 seconds or more, other stores 900',
  *check({ template: { durationSeconds }, settings: { minSessionSeconds } }) {
    if (durationSeconds < minSessionSeconds) {
      yield { path: ['durationSeconds'], message: `STS refuses sessions under ${minSessionSeconds} seconds` }
    }
  },
}
