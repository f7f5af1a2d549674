import { actionsOf, type Rule } from './rule.ts'

/** No user of an app needs to delete the bucket or to list the account's. */
export const accountAction: Rule = {
  id: 'account-action',
  severity: 'error',
  remedy: 'leave it to operators, who have keys of their own',
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      const why = WHY[action]
      if (why !== undefined) yield { path, message: `${action} ${why}` }
    }
  },
}

const WHY: Readonly<Record<string, string>> = {
  'oss:DeleteBucket': 'deletes the bucket of all users',
  'oss:ListAllMyBuckets': 'shows every bucket of the account',
}
