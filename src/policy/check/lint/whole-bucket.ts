import type { Rule } from './rule.ts'

/** `${bucket}/*` is every user's folder, and everything that the bucket will ever hold. */
export const wholeBucket: Rule = {
  id: 'whole-bucket',
  severity: 'error',
  remedy: "name a folder: shared/* for everybody, users/${jwt:sub}/* for the caller's own",
  *check({ resources }) {
    for (const { path, key } of resources) {
      if (key[0]?.[0]?.kind === 'wildcard') {
        yield { path, message: "the key starts with *: it opens every user's objects" }
      }
    }
  },
}
