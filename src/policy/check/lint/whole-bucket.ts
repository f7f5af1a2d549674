import type { Rule } from './rule.ts'

/** `${bucket}/*` is every user's folder, and whatever else will ever be put into the bucket. */
export const wholeBucket: Rule = {
  id: 'whole-bucket',
  severity: 'error',
  remedy: "name a folder: shared/* for what everybody may have, users/${jwt:sub}/* for what is the caller's own",
  *check({ resources }) {
    for (const { path, key } of resources) {
      if (key[0]?.[0]?.kind === 'wildcard') {
        yield { path, message: "its key starts with a *, so whoever has this policy opens every user's objects" }
      }
    }
  },
}
