import { runExample } from '../examples.ts'
import type { Rule } from './rule.ts'

/** `cannot: [PutObject other-bucket/users/alice/1.jpg]` looks like a proof, and says nothing about alice's folder. */
export const cannotOtherBucket: Rule = {
  id: 'cannot-other-bucket',
  severity: 'warning',
  remedy: "keys start after the bucket: leave its name out, and name somebody else's key",
  needsSound: true,
  *check({ template, settings }) {
    for (const [index, example] of template.examples.entries()) {
      const keyed = example.cannot.flatMap(({ key, ...operation }) =>
        key === undefined ? [] : [{ key, ...operation }],
      )
      const inside = keyed.map(({ key, ...operation }) => ({ ...operation, key: key.replace(/^[^/]*\//u, '') }))
      const outcomes = runExample(template, { ...example, can: inside, cannot: keyed }, settings)
      const unlike = keyed.some(({ key }, at) => key === inside[at]?.key)
      if (keyed.length === 0 || unlike || !outcomes.every(({ held }) => held)) continue
      yield {
        path: ['examples', index, 'cannot'],
        message: `only the first segment keeps these keys shut, like another bucket's name: ${inside[0]?.key} is allowed`,
      }
    }
  },
}
