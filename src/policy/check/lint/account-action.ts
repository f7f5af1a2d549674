import { actionsOf, type Rule } from './rule.ts'

/** What no user of an app has to do: delete the bucket, list the account's. */
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
  'oss:DeleteBucket': "deletes everybody's bucket",
  'oss:ListAllMyBuckets': 'shows every bucket of the account',
}
