import { parseDocument } from 'yaml'

/**
 * Strict YAML without output: yaml's own `parse` prints warnings (an unknown tag, a mapping as a key) with the line
 * that they are about, and this line can contain a secret. With `failsafe`, every scalar is a text as it is written.
 * @throws for anything else
 */
export function parseYaml(text: string, schema: 'core' | 'failsafe' = 'core'): unknown {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, schema })
  if (document.errors.length + document.warnings.length > 0) throw new Error('not strict YAML')
  return document.toJS()
}
