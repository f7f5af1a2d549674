import type { TargetConfig } from '../../config/targets.ts'
import type { Policy } from '../../policy/language/document.ts'
import { s3Action, s3Resource } from '../../policy/language/s3.ts'
import { CommandError } from '../io.ts'

/** What an operator pastes into the console of the store. */
export type IamPolicy = Readonly<{ Version: string; Statement: readonly Readonly<Record<string, unknown>>[] }>

type Source = TargetConfig['sts']
type AwsSource = Extract<Source, { kind: 'aws-sts' }>

export const AWS_VERSION = '2012-10-17'

/**
 * The statements of a policy in the language of S3. Unlike a session policy's, their number has no limit here.
 * @throws {CommandError} for what has no translation
 */
export function s3Statements({ Statement }: Policy, { sts, oss }: Pick<TargetConfig, 'sts' | 'oss'>) {
  const place = { ...oss, partition: sts.kind === 'aws-sts' ? sts.partition : 'aws' }
  return Statement.map(({ Effect, Action, Resource }) => ({
    Effect,
    Action: Action.map((action) => s3Action(action) ?? untranslatable(action)),
    Resource: Resource.map((resource) => s3Resource(resource, place) ?? untranslatable(resource)),
  }))
}

/**
 * Who may assume a role: the sub-user, or every user of the account whose own permissions say so.
 *
 * JD Cloud's pages disagree about `Principal`: one has `{"JDCLOUD": …}` with an account or a user, another the bare JRN of
 * an account. This is the first, in the only complete example, which has a `Resource`. AWS refuses a `Resource` here.
 */
export function trustOf(sts: Source, user: string | undefined): IamPolicy {
  if (sts.kind === 'jdcloud') {
    const principal = `jrn:iam::${sts.account}:${user === undefined ? 'root' : `user/${user}`}`
    const statement = { Effect: 'Allow', Principal: { JDCLOUD: principal }, Action: 'sts:assumeRole', Resource: '*' }
    return { Version: '3', Statement: [statement] }
  }
  const Principal = { AWS: awsPrincipal(sts, user) }
  return { Version: AWS_VERSION, Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] }
}

/** All that the keys of the sub-user may do. */
export function assumingOf({ kind, role }: Source): IamPolicy {
  const jdcloud = kind === 'jdcloud'
  const statement = { Effect: 'Allow', Action: [jdcloud ? 'sts:assumeRole' : 'sts:AssumeRole'], Resource: [role] }
  return { Version: jdcloud ? '3' : AWS_VERSION, Statement: [statement] }
}

function awsPrincipal({ role }: AwsSource, user: string | undefined): string {
  const [, partition = '', , , account = ''] = role.split(':')
  if (user !== undefined) return `arn:${partition}:iam::${account}:user/${user}`
  if (account !== '') return `arn:${partition}:iam::${account}:root`
  throw new CommandError(`${role} names no account that its trust could name: add --user <name>`, 2)
}

// The linter and the reader of settings let nothing else through: another place, a ? or ${ in a key.
function untranslatable(text: string): never {
  throw new CommandError(`${text} has no translation into a policy of S3: no session for it could be asked for`, 1)
}
