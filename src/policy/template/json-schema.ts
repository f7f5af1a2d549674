import { z } from 'zod'
import { templateSchema } from './template.ts'

/** The JSON Schema of a template file, for editors: what the loader takes, without what only the linter can tell. */
export function templateJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(templateSchema, { io: 'input', unrepresentable: 'any' })
  return { $schema, title: 'oss-vend policy template', ...schema }
}
