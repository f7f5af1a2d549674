import { OSS_ACTIONS } from '../../language/operations.ts'
import { actionsOf, isOssAction, type Rule } from './rule.ts'

/** `oss:ListBucket` on `test-app/*`, or `oss:PutObject` on `test-app`: neither ever matches. */
export const actionLevel: Rule = {
  id: 'action-level',
  severity: 'error',
  remedy:
    'give actions on objects a resource with a key, …:${bucket}/…, and actions on the bucket one without, …:${bucket}',
  *check(subject) {
    const resourcesOf = (wanted: unknown) => subject.resources.filter(({ statement }) => statement === wanted)
    for (const { action, path, statement } of actionsOf(subject)) {
      const level = isOssAction(action) ? OSS_ACTIONS[action] : 'service'
      const resources = resourcesOf(statement)
      if (level === 'service' || resources.some(({ shape }) => !shape || levelOf(shape) === level)) continue
      yield {
        path,
        message: `${action} is about ${WORDS[level]}, and the statement has no such resource, so it allows nothing`,
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
        message: `it is ${RESOURCES[level]}, and no action of the statement is about ${WORDS[level]}, so it opens nothing`,
      }
    }
  },
}

const levelOf = ({ key }: { key: unknown }) => (key === undefined ? 'bucket' : 'object')
const WORDS = { object: 'objects', bucket: 'the bucket' } as const
const RESOURCES = { object: 'objects', bucket: 'the bucket itself' } as const
