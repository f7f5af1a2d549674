import { parseDocument, visit } from 'yaml'

/**
 * Strict YAML without output: yaml's own `parse` prints warnings (an unknown tag, a mapping as a key) with the line
 * that they are about, and this line can contain a secret. With `failsafe`, every scalar is a text as it is written, and
 * null an empty one: a key of `null` would be a key of four letters.
 * @throws for anything else
 */
export function parseYaml(text: string, schema: 'core' | 'failsafe' = 'core'): unknown {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, schema })
  if (document.errors.length + document.warnings.length > 0) throw new Error('not strict YAML')
  if (schema === 'failsafe') {
    visit(document, {
      Scalar(key, scalar) {
        if (key !== 'key' && scalar.type === 'PLAIN' && NULL.test(scalar.source ?? '')) scalar.value = ''
      },
    })
  }
  return document.toJS()
}

const NULL = /^(?:~|null|Null|NULL)$/u
