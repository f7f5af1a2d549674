import { actionsOf, type Rule } from './rule.ts'

/** OSS ignores `Condition`, so nothing limits a listing to a prefix. */
export const listBucket: Rule = {
  id: 'list-bucket',
  severity: 'error',
  remedy: "let the app's own server list for its users, or keep an index of their keys",
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      if (action === 'oss:ListBucket' || action === 'oss:ListBucketMultipartUploads') {
        yield {
          path,
          message: `${action} shows every user's keys: JD Cloud cannot limit a listing to a prefix`,
        }
      }
    }
  },
}
