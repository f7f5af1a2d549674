import { actionsOf, type Rule } from './rule.ts'

/** `oss:*` also allows actions that OSS adds later. */
export const wildcardAction: Rule = {
  id: 'wildcard-action',
  severity: 'error',
  remedy: 'name each action, such as oss:PutObject',
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      if (action.includes('*'))
        yield {
          path,
          message: `${action} also allows actions that are not written here, and those that OSS adds later`,
        }
    }
  },
}
