import { nearest } from '../../../lib/nearest.ts'
import { OSS_ACTIONS } from '../../language/operations.ts'
import { actionsOf, isOssAction, type Rule } from './rule.ts'

/** An unknown action allows nothing, and JD Cloud does not complain. */
export const unknownAction: Rule = {
  id: 'unknown-action',
  severity: 'error',
  remedy: `the actions are ${Object.keys(OSS_ACTIONS).join(', ')}`,
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      if (isOssAction(action) || action.includes('*')) continue
      if (action.includes('${')) {
        yield { path, message: 'variables work in Resource only', remedy: 'name the actions' }
        continue
      }
      const meant = nearest(action, Object.keys(OSS_ACTIONS))
      const message = `OSS has no action ${action}: it allows nothing`
      yield { path, message, ...(meant !== undefined && { remedy: `did you mean ${meant}?` }) }
    }
  },
}
