/**
 * How bad a finding is: an error keeps a template from being used, a warning is told and no more. What was an error is
 * accepted when the template itself says why it is right.
 */
export type Severity = 'error' | 'warning' | 'accepted'

/**
 * Something that was found in a template file. Lines and columns count from 1; without them it is the file as such.
 */
export type Finding = Readonly<{
  file: string
  line?: number
  column?: number
  /** The line that it is about, cut short where it is long. */
  excerpt?: string
  /** The id of the rule, which is its anchor in docs/policies.md as well. */
  rule: string
  severity: Severity
  /** What is wrong, and why that matters. */
  message: string
  /** What to do. */
  remedy?: string
  /** Why it is accepted, in the words of the template. */
  reason?: string
}>

/** A text for a terminal or a log of lines: what would move the cursor or end the line is shown as what it is. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)

/** `file:line:column`, which editors and terminals turn into a link. */
export const placeOf = ({ file, line, column }: Pick<Finding, 'file' | 'line' | 'column'>): string =>
  [file, line, column].filter((part) => part !== undefined).join(':')

/** A finding in one line. */
export const formatFinding = (finding: Finding): string =>
  printable(
    `${placeOf(finding)}: ${finding.severity} ${finding.rule}: ${finding.message}${finding.remedy ? ` → ${finding.remedy}` : ''}${finding.reason === undefined ? '' : ` (accepted: ${finding.reason})`}`,
  )

/** Where the documentation explains a rule. */
export const anchorOf = ({ rule }: Pick<Finding, 'rule'>): string => `docs/policies.md#${rule}`
