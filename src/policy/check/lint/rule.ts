import type { GrantSettings } from '../../grant/grant.ts'
import { OSS_ACTIONS, type OssAction } from '../../language/operations.ts'
import type { Severity } from '../../template/finding.ts'
import { type ResourceShape, type Segment, shapeOf } from '../../template/shape.ts'
import type { CompiledStatement, Template } from '../../template/template.ts'

/** What templates are checked against: the settings of every grant, and the short names of all issuers. */
export type LintSettings = GrantSettings &
  Readonly<{
    issuers: readonly string[]
    /** By issuer and claim: a value as this provider makes them, such as `system:serviceaccount:ns:name` for `sub`. */
    typicalClaims?: Readonly<Record<string, Claims>>
    /**
     * By issuer, for each whose tokens anyone can have: a stranger's values of the claims that tell strangers apart.
     */
    strangers?: Readonly<Record<string, Claims>>
  }>

type Claims = Readonly<Record<string, string>>
type Issuers = readonly Readonly<{
  name: string
  typicalClaims?: Claims | undefined
  strangers?: Claims | undefined
}>[]

/** The issuers as templates are checked against them. */
export const checkedIssuers = (issuers: Issuers): Pick<LintSettings, 'issuers' | 'typicalClaims' | 'strangers'> => ({
  issuers: issuers.map(({ name }) => name),
  typicalClaims: Object.fromEntries(issuers.map(({ name, typicalClaims = {} }) => [name, typicalClaims])),
  strangers: Object.fromEntries(issuers.flatMap(({ name, strangers }) => (strangers ? [[name, strangers]] : []))),
})

/** A place in a template. */
export type Path = readonly (string | number)[]

/** One finding: where, what is wrong and why it matters, and a remedy if it differs from the rule's. */
export type RuleFinding = Readonly<{ path: Path; message: string; remedy?: string }>

/** One thing that can be wrong with a template. The id keeps its meaning for ever, and is the anchor in docs/policies.md. */
export type Rule = Readonly<{
  id: string
  severity: Severity
  remedy: string
  check(subject: LintSubject): Iterable<RuleFinding>
  /** It fills the template in, so it runs only when no other rule finds an error. */
  needsSound?: true
}>

/** A resource: its place, its statement, and its parts. */
export type LintResource = Readonly<{
  path: Path
  statement: CompiledStatement
  /** It is a `*` and nothing else. */
  everything: boolean
  /** Undefined if it is not a JRN. */
  shape: ResourceShape | undefined
  /** Empty for a bucket. */
  key: readonly Segment[]
}>

/** A template, and what most rules look at. */
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

/** Every action with its place. */
export function* actionsOf({
  template,
}: LintSubject): Generator<{ action: string; path: Path; statement: CompiledStatement }> {
  for (const [index, statement] of template.statements.entries()) {
    for (const [at, action] of statement.actions.entries()) {
      yield { action, statement, path: ['policy', 'Statement', index, 'Action', at] }
    }
  }
}

export const isOssAction = (action: string): action is OssAction => Object.hasOwn(OSS_ACTIONS, action)
