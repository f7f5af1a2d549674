import { XMLParser } from 'fast-xml-parser'

/**
 * Reads an answer of STS: elements with text, and nothing else that XML has. Undefined for anything that is not that, such as
 * a document with entities, comments or a DOCTYPE, which no STS writes. Values are texts; repeated elements are lists.
 */
export function readXml(text: string): unknown {
  if (text.includes('<!')) return undefined
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    processEntities: false,
    maxNestedTags: 8,
  })
  try {
    return parser.parse(text, true)
  } catch {
    return undefined
  }
}
