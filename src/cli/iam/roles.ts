import type { TargetConfig } from '../../config/targets.ts'
import { nearest } from '../../lib/nearest.ts'
import type { Catalogue } from '../../policy/check/catalogue.ts'
import type { LintSettings } from '../../policy/check/lint/rule.ts'
import { targetsOf } from '../../policy/check/lint/unknown-target.ts'
import { type Binding, rolePolicy } from '../../policy/check/role-policy.ts'
import type { Targets } from '../../policy/grant/target.ts'
import { CommandError } from '../io.ts'
import { AWS_VERSION, assumingOf, type IamPolicy, s3Statements, trustOf } from './documents.ts'

/** The documents of a role, by the words of `--document`. */
export const DOCUMENTS = ['role', 'trust', 'user'] as const

export type DocumentName = (typeof DOCUMENTS)[number]

/** A role, all that is for it, and its documents. */
export type RoleDocuments = Readonly<{
  /** JRN or ARN. */
  role: string
  kind: TargetConfig['sts']['kind']
  targets: readonly string[]
  templates: readonly string[]
  /** The shortest that the role's longest session may be; undefined if no template uses the role. */
  sessionSeconds: number | undefined
  /** The longest that a template asks for, whatever the service allows. */
  wantedSeconds: number | undefined
  /** Undefined if no template uses the role. */
  permissions: IamPolicy | undefined
  trust: () => IamPolicy
  user: IamPolicy
}>

type Given = Readonly<{
  configs: readonly TargetConfig[]
  settings: Targets<LintSettings>
  catalogue: Catalogue
  /** Name of the sub-user. */
  user?: string | undefined
}>

/**
 * The documents of each role. Targets with one role share its documents: a policy for only one of them would take the
 * permissions of the others away.
 */
export function documentsOf({ configs, settings, catalogue, user }: Given): RoleDocuments[] {
  // Without allow, a template is for nobody.
  const used = [...catalogue.values()].filter(({ allow }) => allow)
  const bindings = used.flatMap((template): Binding[] =>
    (targetsOf(template, settings).targets ?? []).map((one) => ({ template, settings: one })),
  )
  const roles = new Map<string, TargetConfig[]>()
  for (const config of configs) roles.set(idOf(config), [...(roles.get(idOf(config)) ?? []), config])
  return [...roles.values()].flatMap((group): RoleDocuments[] => {
    const [first] = group
    if (!first) return []
    const { sts } = first
    const targets = group.map(({ name }) => name)
    const ours = bindings.filter(({ settings: { target } }) => targets.includes(target))
    const seconds = ours.map(({ template, settings }) => Math.min(template.durationSeconds, settings.maxSessionSeconds))
    return [
      {
        role: sts.role,
        kind: sts.kind,
        targets,
        templates: [...new Set(ours.map(({ template }) => template.name))],
        sessionSeconds: ours.length > 0 ? Math.max(...seconds) : undefined,
        wantedSeconds: ours.length > 0 ? Math.max(...ours.map(({ template }) => template.durationSeconds)) : undefined,
        permissions: ours.length > 0 ? permissionsOfAll(ours, group) : undefined,
        trust: () => trustOf(sts, user),
        user: assumingOf(sts),
      },
    ]
  })
}

/** Two stores can each have a role of the same name, as Ceph's ARNs have no account. */
const idOf = ({ sts }: TargetConfig) => JSON.stringify([sts.kind, sts.endpoint, sts.role])

/** On JD Cloud one policy for all targets. On S3 one for each, because a translation is for one region. */
function permissionsOfAll(bindings: readonly Binding[], group: readonly TargetConfig[]): IamPolicy {
  if (group.every(({ sts }) => sts.kind === 'jdcloud')) return rolePolicy(bindings)
  const Statement = group.flatMap((config) => {
    const ours = bindings.filter(({ settings }) => settings.target === config.name)
    return s3Statements(rolePolicy(ours), config)
  })
  return { Version: AWS_VERSION, Statement }
}

/**
 * The documents of the role of one target.
 * @throws {CommandError} for an unknown target
 */
export function ofTarget(all: readonly RoleDocuments[], name: string): RoleDocuments[] {
  const found = all.filter(({ targets }) => targets.includes(name))
  if (found.length > 0) return found
  const names = all.flatMap(({ targets }) => targets)
  const meant = nearest(name, names)
  throw new CommandError(
    `no target is called ${name}: ${meant === undefined ? `there is ${names.join(', ')}` : `did you mean ${meant}?`}`,
    2,
  )
}
