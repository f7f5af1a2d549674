import type { ApiDocument, Node } from './api-document.ts'

type Field = Readonly<{ name: string; node: Node; required: boolean; only: string | undefined }>

/** The schema that a `$ref` of the document points to. */
export function resolve({ components }: ApiDocument, node: Node): Node {
  if (node.$ref === undefined) return node
  const found = components.schemas[node.$ref.split('/').at(-1) ?? '']
  if (!found) throw new Error(`the document has no ${node.$ref}`)
  return found
}

/** A table of all fields of an object, nested ones by their path, and the rules that join them. */
export function fieldTable(schema: Node, { request }: Readonly<{ request: boolean }>): string[] {
  const rows = fieldsOf(schema, '').map(({ name, node, required, only }) => {
    const marks = request && required ? '**required**' : ''
    const words = [only, node.description, defaultOf(node)].filter((part) => part !== undefined)
    return `| \`${name}\` | ${[kindOf(node), marks].filter(Boolean).join(', ')} | ${inCell(words.join(' '))} |`
  })
  return ['| field | form | meaning |', '| --- | --- | --- |', ...rows]
}

function fieldsOf(node: Node, path: string): Field[] {
  if (node.items) return fieldsOf(node.items, `${path}[]`)
  if (node.properties) {
    const start = path === '' ? '' : `${path}.`
    return Object.entries(node.properties).flatMap(([name, inner]) => {
      const field = { name: start + name, node: inner, required: node.required.includes(name), only: undefined }
      return [field, ...fieldsOf(inner, start + name)]
    })
  }
  return node.oneOf ? merged(node.oneOf, path) : []
}

/** The fields of all alternatives, each once; those of some alternatives say of which. */
function merged(alternatives: readonly Node[], path: string): Field[] {
  const all = alternatives.map((node) => ({ node, fields: fieldsOf(node, path) }))
  const names = new Set(all.flatMap(({ fields }) => fields.map(({ name }) => name)))
  return [...names].flatMap((name) => {
    const having = all.flatMap(({ node, fields }) => {
      const field = fields.find((one) => one.name === name)
      return field ? [{ node, field }] : []
    })
    const [first] = having
    if (!first) return []
    const everywhere = having.length === all.length
    // The field that holds this one says it.
    const isNested = name.includes('.')
    const values = [...new Set(having.flatMap(({ field }) => field.node.enum ?? field.node.const ?? []))]
    const node =
      everywhere && having.some(({ field }) => field.node.const !== undefined)
        ? choice(first.field.node, values)
        : first.field.node
    const only = everywhere || isNested ? undefined : `Only with ${tellsApart(having.map(({ node }) => node))}.`
    return [{ name, node, required: everywhere && having.every(({ field }) => field.required), only }]
  })
}

const choice = ({ const: _, description, ...node }: Node, values: readonly (string | boolean)[]): Node => ({
  ...node,
  ...(values.every((value) => typeof value === 'string') && { enum: [...values] }),
  description: values.includes(true) ? 'Which of the two answers this is.' : description,
})

/** The field by whose value an alternative is chosen, and the values. */
function tellsApart(nodes: readonly Node[]): string {
  const found = nodes.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, { const: only, enum: some }]) => {
      const values = some ?? (only === undefined ? [] : [String(only)])
      return values.map((value) => ({ name, value: `\`${value}\`` }))
    }),
  )
  return `\`${found[0]?.name}\` ${found.map(({ value }) => value).join(', ')}`
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
}

/** The form of a value in words: `text, 1 to 1024 characters`. */
export function kindOf(node: Node): string {
  if (node.const !== undefined) return `always \`${node.const}\``
  if (node.enum?.includes('internal_error')) return 'a [code](../README.md#errors)'
  if (node.enum) return `one of ${node.enum.map((value) => `\`${value}\``).join(', ')}`
  if (node.type === 'array') {
    const count = range(node.minItems, node.maxItems)
    return `list${count && ` of ${count}`}${node.items?.type === 'string' ? ': text' : ''}`
  }
  const kind = KINDS[node.type ?? ''] ?? 'any'
  if (node.type === 'string') {
    const length = range(node.minLength, node.maxLength)
    return length === '' ? kind : `${kind}, ${length} characters`
  }
  const bounds = node.type === 'integer' ? range(node.minimum, node.maximum) : ''
  return bounds === '' ? kind : `${kind}, ${bounds}`
}

function range(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}`
  if (most !== undefined) return `up to ${most}`
  return least === undefined || least === 0 ? '' : `${least} or more`
}

const defaultOf = (node: Node) => (node.default === undefined ? undefined : `Default: ${String(node.default)}.`)

export const inCell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
