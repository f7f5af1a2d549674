import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { XMLParser } from 'fast-xml-parser'
import t from 'tap'
import { readApi } from '../../scripts/api-document.ts'
import { apiReference } from '../../scripts/api-reference.ts'
import { ERRORS } from '../../src/errors.ts'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const { json, document } = await readApi()
const operations = Object.entries(document.paths).flatMap(([path, { get, post }]) => [
  ...(get ? [{ name: `GET ${path}`, operation: get }] : []),
  ...(post ? [{ name: `POST ${path}`, operation: post }] : []),
])
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({ $id: 'api', ...Object(json) })
/** The faults of a value by a schema of the document. */
const faults = (value: unknown, pointer: string) =>
  ajv.validate({ $ref: `api#${pointer}` }, value)
    ? []
    : (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
const step = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))

t.test('docs/api.md and docs/openapi.json are up to date', async (t) => {
  t.strictSame(JSON.parse(readFileSync('docs/openapi.json', 'utf8')), json, 'otherwise run: npm run api')
  t.equal(readFileSync('docs/api.md', 'utf8'), apiReference(document), 'otherwise run: npm run api')
})

t.test('the description has every route, but for those that show it and further addresses of one', async (t) => {
  const aside = [
    'POST /',
    'POST /v1/aws/sts/',
    'GET /metrics',
    'GET /openapi.json',
    'GET /docs',
    'GET /docs/',
    'GET /docs/static/:file',
  ]
  const found = readdirSync('routes').flatMap((file) => {
    const source = readFileSync(`routes/${file}`, 'utf8')
    const routes = source.matchAll(/method: '(?<method>[A-Z]+)',\s+url: '(?<url>\/[^']*)'/gu)
    const addresses = source.matchAll(/\broute\('(?<url>[^']+)'/gu)
    return [
      ...[...routes].map(({ groups }) => `${groups?.method} ${groups?.url}`),
      ...[...addresses].map(({ groups }) => `POST ${groups?.url}`),
    ]
  })
  const described = operations.map(({ name }) => name.replace(/\{(\w+)\}/gu, ':$1'))
  t.strictSame(found.toSorted(), [...described, ...aside].toSorted())
})

t.test('each operation is described, and each of its fields', async (t) => {
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'no two have one id')
  const tables = apiReference(document).matchAll(/^\| `(?<field>[^`]+)` \|.*\| (?<meaning>(?:[^|]|\\\|)+) \|$/gmu)
  const rows = [...tables].map(({ groups }) => ({ field: groups?.field, meaning: groups?.meaning?.trim() ?? '' }))
  t.ok(rows.length > 80, 'there are fields to look at')
  for (const { field = '', meaning } of rows) t.match(meaning, /^[A-Z`].*\.$/u, field)
  for (const { name, operation } of operations) {
    t.match(operation.summary, /^[A-Z][^.]+$/u, name)
    t.match(operation.description, /^[A-Z].*\.$/u, name)
  }
})

t.test('each request and each answer has an example that its schema allows', async (t) => {
  for (const { name, operation } of operations) {
    t.test(name, async (t) => {
      const [method = '', path = ''] = name.split(' ')
      const media = [
        ...Object.entries(operation.requestBody?.content ?? {}).map(([type, one]) => ({
          at: `requestBody/content/${step(type)}`,
          type,
          one,
        })),
        ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
          Object.entries(content).map(([type, one]) => ({
            at: `responses/${status}/content/${step(type)}`,
            type,
            one,
          })),
        ),
      ]
      for (const { at, type, one } of media) {
        const schema = document.components.schemas[one.schema.$ref?.split('/').at(-1) ?? '']
        const named = Object.values(Object(one.examples)).map((example) => Object(example).value)
        const examples = [
          ...named,
          ...(one.example === undefined ? [] : [one.example]),
          ...(named.length > 0 ? [] : (schema?.examples ?? [])),
        ]
        t.ok(examples.length > 0, `${at} has an example`)
        for (const example of examples) {
          const value = type === 'text/xml' ? Object.values(withoutNamespace(example))[0] : example
          t.strictSame(faults(value, `/paths/${step(path)}/${method.toLowerCase()}/${at}/schema`), [], at)
        }
      }
      for (const { name, in: where, example, schema } of operation.parameters) {
        for (const value of [...(example === undefined ? [] : [example]), ...schema.examples]) {
          t.ok(ajv.validate({ ...schema, required: undefined, examples: undefined }, value), `${where} ${name}`)
        }
      }
    })
  }
})

t.test('each example of a request works', async (t) => {
  const { app } = await build(t)
  const token = mint(claims({ scope: 'oss.upload oss.files oss.download' }))
  for (const { name, operation } of operations) {
    const [method, path = ''] = name.split(' ')
    const url = path.replace(/\{\w+\}/gu, 'user-upload')
    const [[type, media] = []] = Object.entries(operation.requestBody?.content ?? {})
    const examples = document.components.schemas[media?.schema.$ref?.split('/').at(-1) ?? '']?.examples ?? [undefined]
    for (const example of examples) {
      const form = new URLSearchParams({ ...Object(example), WebIdentityToken: token }).toString()
      const { statusCode, body } = await app.inject({
        method: method === 'GET' ? 'GET' : 'POST',
        url,
        headers: { authorization: `Bearer ${token}`, ...(type !== undefined && { 'content-type': type }) },
        ...(example !== undefined && { payload: type === 'application/json' ? JSON.stringify(example) : form }),
      })
      t.equal(statusCode, 200, `${name} ${JSON.stringify(example)}: ${statusCode === 200 ? '' : body}`)
    }
  }
})

t.test('each code of the table is told by a route, under its own status', async (t) => {
  const seen = new Set<string>()
  for (const { name, operation } of operations) {
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      const examples = Object.entries(Object(content['application/problem+json']?.examples))
      for (const [code, example] of examples) {
        seen.add(code)
        t.match(Object(example).value, { code, status: Number(status) }, name)
      }
    }
  }
  // These two are told where there is no route to describe.
  t.strictSame([...seen, 'not_found', 'method_not_allowed'].toSorted(), Object.keys(ERRORS).toSorted())
  for (const code of ['not_found', 'method_not_allowed']) t.match(document.info.description, `\`${code}\``)
})

function withoutNamespace(xml: unknown): object {
  return new XMLParser({ parseTagValue: false }).parse(String(xml))
}
