/** An error keeps a template from being used, a warning does not. An error is accepted if the template gives a reason. */
export type Severity = 'error' | 'warning' | 'accepted'

/** A finding in a template file. Lines and columns count from 1; without them it is about the whole file. */
export type Finding = Readonly<{
  file: string
  line?: number
  column?: number
  /** The line, cut if it is long. */
  excerpt?: string
  /** The id of the rule, and its anchor in docs/policies.md. */
  rule: string
  severity: Severity
  /** What is wrong, and why it matters. */
  message: string
  remedy?: string
  /** The template's reason for accepting it. */
  reason?: string
}>

/** A text for a terminal or a log: characters that would move the cursor or end the line are shown as escapes. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)

/** `file:line:column`: editors and terminals turn it into a link. */
export const placeOf = ({ file, line, column }: Pick<Finding, 'file' | 'line' | 'column'>): string =>
  [file, line, column].filter((part) => part !== undefined).join(':')

export const formatFinding = (finding: Finding): string =>
  printable(
    `${placeOf(finding)}: ${finding.severity} ${finding.rule}: ${finding.message}${finding.remedy ? ` → ${finding.remedy}` : ''}${finding.reason === undefined ? '' : ` (accepted: ${finding.reason})`}`,
  )

export const anchorOf = ({ rule }: Pick<Finding, 'rule'>): string => `docs/policies.md#${rule}`
