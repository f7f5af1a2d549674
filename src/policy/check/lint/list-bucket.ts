import { actionsOf, type Rule } from './rule.ts'

/** JD Cloud's `Condition` is not effective for OSS, so a listing cannot be kept to a prefix. */
export const listBucket: Rule = {
  id: 'list-bucket',
  severity: 'error',
  remedy: "have the app's own server list for its users, or keep an index of their keys",
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      if (action === 'oss:ListBucket' || action === 'oss:ListBucketMultipartUploads') {
        yield {
          path,
          message: `${action} shows every user's keys to whoever has this policy: JD Cloud cannot limit listing to a prefix`,
        }
      }
    }
  },
}
