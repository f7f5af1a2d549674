import { z } from 'zod'

const lineSchema = z.strictObject({
  group: z.string(),
  name: z.string(),
  status: z.enum(['passed', 'failed', 'not_checked']),
  message: z.string(),
  remedy: z.string().optional(),
  settings: z.array(z.string()).optional(),
})

/** The form of `oss-vend doctor --json`. */
export const reportSchema = z.strictObject({
  passed: z.int(),
  failed: z.int(),
  notChecked: z.int(),
  checks: z.array(lineSchema),
})

/** One line of it. */
export type ReportLine = z.infer<typeof lineSchema>
