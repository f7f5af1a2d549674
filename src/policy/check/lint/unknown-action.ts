import { nearest } from '../../../lib/nearest.ts'
import { OSS_ACTIONS } from '../../language/operations.ts'
import { actionsOf, isOssAction, type Rule } from './rule.ts'

/** An action that OSS does not have allows nothing, and nobody says so. */
export const unknownAction: Rule = {
  id: 'unknown-action',
  severity: 'error',
  remedy: `there are ${Object.keys(OSS_ACTIONS).join(', ')}`,
  *check(subject) {
    for (const { action, path } of actionsOf(subject)) {
      if (isOssAction(action) || action.includes('*')) continue
      if (action.includes('${')) {
        yield { path, message: 'variables are for Resource alone', remedy: 'name the actions' }
        continue
      }
      const meant = nearest(action, Object.keys(OSS_ACTIONS))
      const message = `${action} is not an action of OSS, and allows nothing`
      yield { path, message, ...(meant !== undefined && { remedy: `did you mean ${meant}?` }) }
    }
  },
}
