import { actionsOf, type Rule } from './rule.ts'

/** `oss:*` also allows what OSS learns to do tomorrow. */
export const wildcardAction: Rule = {
  id: 'wildcard-action',
  severity: 'error',
  remedy: 'name each action, such as oss:PutObject',
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      if (action.includes('*'))
        yield { path, message: `${action} allows more than is written here, and what OSS adds later too` }
    }
  },
}
