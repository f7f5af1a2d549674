import { XMLBuilder, XMLParser } from 'fast-xml-parser'
import type { z } from 'zod'
import { OssError } from './errors.ts'

/** The largest XML request body. */
export const MAX_XML_BYTES = 1024 * 1024

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** The contents of an element. Undefined is left out, and a list repeats the element. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [element: string]: XmlValue }

/** A document in S3's namespace. Only `Error` has none. */
export function toXml(root: string, content: { readonly [element: string]: XmlValue }): string {
  const builder = new XMLBuilder({ ignoreAttributes: false })
  const attributes = root === 'Error' ? {} : { '@_xmlns': NAMESPACE }
  const xml = builder.build({ [root]: { ...attributes, ...content } })
  // A key may contain control characters. S3 also writes them as references, although XML 1.0 does not allow most of
  // them.
  const safe = xml.replace(CONTROL, (c) => `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${safe}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/gu

/** Elements that are always lists, even with one item. */
const LISTS: ReadonlySet<string> = new Set([
  'Object',
  'Part',
  'CORSRule',
  'AllowedOrigin',
  'AllowedMethod',
  'AllowedHeader',
  'ExposeHeader',
])

/**
 * Reads an XML request body.
 *
 * @throws OssError MalformedXML
 */
export function parseXml<T>(body: Buffer, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseDocument(body))
  if (!parsed.success) throw new OssError('MalformedXML')
  return parsed.data
}

function parseDocument(body: Buffer): unknown {
  const parser = new XMLParser({
    // Our parser below knows only XML's five entities and reads each text once.
    processEntities: false,
    tagValueProcessor: (_, text) => decodeReferences(text),
    parseTagValue: false,
    // A key may start or end with spaces.
    trimValues: false,
    removeNSPrefix: true,
    maxNestedTags: 8,
    isArray: (name) => LISTS.has(name),
  })
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    // S3 clients need only comments of everything that starts with `<!`. The rest is used in attacks on XML parsers.
    if (/<!(?!--)/u.test(text)) throw new OssError('MalformedXML')
    return parser.parse(text, true)
  } catch {
    throw new OssError('MalformedXML')
  }
}

const NAMED = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }))

function decodeReferences(text: string): string {
  return text.replace(/&([^;&]{0,10};)?/gu, (_, reference: string | undefined) => {
    const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}));$/u.exec(reference ?? '') ?? []
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    const named = NAMED.get(reference?.slice(0, -1) ?? '')
    if (named === undefined) throw new OssError('MalformedXML')
    return named
  })
}
