import { OSS_ACTIONS } from '../../language/operations.ts'
import { actionsOf, isOssAction, type Rule } from './rule.ts'

/** `oss:ListBucket` on `test-app/*` never matches, nor does `oss:PutObject` on `test-app`. */
export const actionLevel: Rule = {
  id: 'action-level',
  severity: 'error',
  remedy: 'object actions need a resource with a key (…:${bucket}/…), bucket actions one without (…:${bucket})',
  *check(subject) {
    const resourcesOf = (wanted: unknown) => subject.resources.filter(({ statement }) => statement === wanted)
    for (const { action, path, statement } of actionsOf(subject)) {
      const level = isOssAction(action) ? OSS_ACTIONS[action] : 'service'
      const resources = resourcesOf(statement)
      if (level === 'service' || resources.some(({ shape }) => !shape || levelOf(shape) === level)) continue
      yield {
        path,
        message: `${action} applies to ${WORDS[level]}, and the statement has no such resource: it allows nothing`,
      }
    }
    for (const { path, statement, shape } of subject.resources) {
      const actions = statement.actions.filter(isOssAction)
      const level = shape && levelOf(shape)
      if (
        !level ||
        actions.length < statement.actions.length ||
        actions.some((action) => OSS_ACTIONS[action] === level)
      )
        continue
      yield {
        path,
        message: `no action of the statement applies to ${WORDS[level]}: this resource opens nothing`,
      }
    }
  },
}

const levelOf = ({ key }: { key: unknown }) => (key === undefined ? 'bucket' : 'object')
const WORDS = { object: 'objects', bucket: 'the bucket itself' } as const
