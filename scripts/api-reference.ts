import type { ApiDocument, Operation } from './api-document.ts'
import { fieldTable, inCell, kindOf, resolve } from './api-fields.ts'

const HOST = 'https://vend.example.com'

/** Pages that show how to use the routes of a tag. */
const GUIDES: Readonly<Record<string, string>> = {
  credentials:
    'How to use them: [the README](../README.md#ask-for-credentials), and [credentials that open less](clients.md#hand-on-less-than-you-have).',
  presigned: 'How to use them: [signed URLs and forms](presigned.md).',
  aws: 'How to use them: [client by client](clients.md).',
  health: 'The ops listener ([`OPS_PORT`](configuration.md)) has them too, beside `/metrics`.',
}

/** The text of docs/api.md. */
export function apiReference(document: ApiDocument): string {
  const routes = Object.entries(document.paths).flatMap(([path, { get, post }]) => [
    ...(get ? [{ method: 'GET', path, operation: get }] : []),
    ...(post ? [{ method: 'POST', path, operation: post }] : []),
  ])
  const sections = document.tags.map(({ name, description }) => {
    const ours = routes.filter(({ operation }) => operation.tags.includes(name))
    const title = `## ${name[0]?.toUpperCase()}${name.slice(1)}`
    return [title, description, GUIDES[name] ?? '', ...ours.map((route) => routeSection(document, route))].join('\n\n')
  })
  return `${[
    '# API',
    '<!-- Made by `npm run api` from the routes. -->',
    'Every route, with its fields, answers and errors. [openapi.json](openapi.json) is the same for generators of clients (OpenAPI 3.1). A service with `DOCS_ENABLED=true` serves it at `/openapi.json`, and a page to try it on at `/docs`.',
    document.info.description,
    'The [table of errors](../README.md#errors) says what to do about each code. A later version can add fields and codes: let clients ignore what they do not know.',
    [
      '| route | what it does | token |',
      '| --- | --- | --- |',
      ...routes.map(
        ({ method, path, operation }) =>
          `| [\`${method} ${path}\`](#${anchorOf(`${method} ${path}`)}) | ${operation.summary} | ${tokenOf(operation)} |`,
      ),
    ].join('\n'),
    '**Headers** of answers:',
    [
      '| header | meaning |',
      '| --- | --- |',
      ...Object.entries(document.components.headers).map(
        ([name, { description }]) => `| \`${name}\` | ${description} |`,
      ),
    ].join('\n'),
    ...sections,
  ].join('\n\n')}\n`
}

type Route = Readonly<{ method: string; path: string; operation: Operation }>

function routeSection(document: ApiDocument, { method, path, operation }: Route): string {
  const [, request] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  const [type = '', answer] = Object.entries(operation.responses[200]?.content ?? {})[0] ?? []
  const schema = answer && resolve(document, answer.schema)
  const example = answer?.example ?? schema?.examples[0]
  return [
    `### \`${method} ${path}\``,
    `${operation.summary}. ${operation.description ?? ''}`.trim(),
    `**Token**: ${tokenOf(operation)}.`,
    ...parametersOf(operation),
    ...(request
      ? [
          `**Request**${operation.requestBody?.required ? '' : ' (may be left out)'}:`,
          requestTable(document, request.schema),
        ]
      : []),
    '**Example**:',
    fenced('sh', curl(document, { method, path, operation })),
    typeof example === 'string'
      ? fenced('xml', example.trim().replaceAll('><', '>\n<'))
      : fenced('json', compact(example)),
    `**Answer** (\`${type}\`):`,
    schema ? fieldTable(schema, { request: false }).join('\n') : '',
    '**Errors**:',
    [
      '| status | code |',
      '| --- | --- |',
      ...Object.entries(operation.responses).flatMap(([status, { $ref, description }]) => {
        const shared = document.components.responses[$ref?.split('/').at(-1) ?? '']
        return status === '200' ? [] : [`| ${status} | ${inCell(description ?? shared?.description ?? '')} |`]
      }),
    ].join('\n'),
  ].join('\n\n')
}

function requestTable(document: ApiDocument, schema: Parameters<typeof resolve>[1]): string {
  const node = resolve(document, schema)
  const choice = [...new Set([node, ...(node.oneOf ?? [])].flatMap(({ oneOf = [] }) => oneOf.flatMap(alone)))]
  const rule =
    choice.length > 0 ? [`\nExactly one of ${choice.map((name) => `\`${name}\``).join(' and ')} must be there.`] : []
  return [...fieldTable(node, { request: true }), ...rule].join('\n')
}

/** The field that an alternative requires and says nothing else of. */
const alone = ({ required, properties }: Parameters<typeof resolve>[1]) => (properties ? [] : required)

function parametersOf({ parameters }: Operation): string[] {
  if (parameters.length === 0) return []
  const rows = parameters.map(
    ({ name, in: where, description, schema }) =>
      `| \`${name}\` | ${where} | ${kindOf(schema)} | ${inCell(description)} |`,
  )
  return ['**Parameters**:', ['| name | in | form | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')]
}

function tokenOf({ security, requestBody }: Operation): string {
  if (security.some((one) => 'token' in one)) return '`Authorization`, with or without `Bearer`'
  if (security.length > 0) return '`Authorization: Bearer`'
  return requestBody ? 'in the form' : 'none'
}

/** The first example of the request, as a command. */
function curl(document: ApiDocument, { method, path, operation }: Route): string {
  const filled = path.replace(/\{(\w+)\}/gu, (_, name) =>
    String(operation.parameters.find((one) => one.in === 'path' && one.name === name)?.example),
  )
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  const example = media && resolve(document, media.schema).examples[0]
  const token = operation.security.length > 0 ? [`-H "authorization: Bearer $TOKEN"`] : []
  const body =
    type === 'application/json'
      ? [`-H 'content-type: application/json'`, `-d '${JSON.stringify(example)}'`]
      : Object.entries(example ?? {}).map(([name, value]) => `--data-urlencode '${name}=${value}'`)
  return [
    `curl -sS ${method === 'POST' && body.length === 0 ? '-X POST ' : ''}${HOST}${filled}`,
    ...token,
    ...body,
  ].join(' \\\n  ')
}

/** JSON with lists of texts on one line. */
const compact = (value: unknown) =>
  JSON.stringify(value, null, 2).replace(
    /\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/gu,
    (_, items: string) => `[${items.replace(/,\s+/gu, ', ')}]`,
  )

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\``

/** As GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/ /gu, '-')
