import { type AuditEvent, eventSchema } from '../../src/observe/audit/schema.ts'

/** Takes the place of standard output: keeps each line of the audit. */
export function captureAudit() {
  const lines: string[] = []
  return {
    stdout: { write: (text: string) => void lines.push(text.slice(0, -1)) },
    lines: () => [...lines],
    text: () => lines.join('\n'),
    /** All events, each checked against the schema. */
    events: () => lines.map(eventOf),
    /** The data of each decision, in order. */
    decisions: () => lines.map(eventOf).flatMap(decisionIn),
  }
}

export const eventOf = (line: string): AuditEvent => eventSchema.parse(JSON.parse(line))

export const decisionIn = (event: AuditEvent) => ('outcome' in event.data ? [event.data] : [])
