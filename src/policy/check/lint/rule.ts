import type { GrantSettings } from '../../grant/grant.ts'
import { OSS_ACTIONS, type OssAction } from '../../language/operations.ts'
import type { Severity } from '../../template/finding.ts'
import { type ResourceShape, type Segment, shapeOf } from '../../template/shape.ts'
import type { CompiledStatement, Template } from '../../template/template.ts'

/** What templates are checked against: the settings of every grant, and the short names of the issuers there are. */
export type LintSettings = GrantSettings & Readonly<{ issuers: readonly string[] }>

/** Where something stands in a template. */
export type Path = readonly (string | number)[]

/** What a rule found: where, what is wrong and why that matters, and what to do if it is not what the rule says. */
export type RuleFinding = Readonly<{ path: Path; message: string; remedy?: string }>

/**
 * One thing that can be wrong with a template. The id never changes its meaning; docs/policies.md explains it under that
 * anchor.
 */
export type Rule = Readonly<{
  id: string
  severity: Severity
  /** What to do about it. */
  remedy: string
  /** Looks at one template on its own. */
  check(subject: LintSubject): Iterable<RuleFinding>
  /** Whether it fills templates in, which it may do only with those that no other rule finds an error in. */
  needsSound?: true
}>

/** A resource, as written, as taken apart, and where it stands. */
export type LintResource = Readonly<{
  path: Path
  statement: CompiledStatement
  /** Whether it is nothing but a `*`. */
  everything: boolean
  /** Undefined for what is not a JRN. */
  shape: ResourceShape | undefined
  /** The key's segments; none for a bucket. */
  key: readonly Segment[]
}>

/** A template with what most rules look at. */
export type LintSubject = Readonly<{ template: Template; settings: LintSettings; resources: readonly LintResource[] }>

/** Prepares a template for the rules. */
export function lintSubject(template: Template, settings: LintSettings): LintSubject {
  const resources = template.statements.flatMap((statement, index) =>
    statement.resources.map((parts, at): LintResource => {
      const shape = shapeOf(parts, template.params, settings)
      const everything = parts.every((part) => part.kind === 'literal' && /^\*+$/u.test(part.text))
      return {
        path: ['policy', 'Statement', index, 'Resource', at],
        statement,
        everything,
        shape,
        key: shape?.key ?? [],
      }
    }),
  )
  return { template, settings, resources }
}

/** Every action, with where it stands. */
export function* actionsOf({
  template,
}: LintSubject): Generator<{ action: string; path: Path; statement: CompiledStatement }> {
  for (const [index, statement] of template.statements.entries()) {
    for (const [at, action] of statement.actions.entries()) {
      yield { action, statement, path: ['policy', 'Statement', index, 'Action', at] }
    }
  }
}

/** Whether an action is one that OSS knows. */
export const isOssAction = (action: string): action is OssAction => Object.hasOwn(OSS_ACTIONS, action)
