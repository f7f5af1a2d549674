import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { OssError } from './errors.ts'

/** S3's limit for everything before the file. */
const MAX_FIELD_BYTES = 20 * 1024

/** A posted form. Field names are in lower case. */
export type Form = Readonly<{ fields: ReadonlyMap<string, string>; file: Buffer; filename: string }>

/**
 * Reads a `multipart/form-data` body. The file must be the last field. As in S3, later fields are ignored, so a key or
 * policy there is missing.
 *
 * @throws OssError MalformedPOSTRequest, InvalidArgument, MaxPostPreDataLengthExceededError
 */
export function readForm(contentType: string, body: Buffer): Promise<Form> {
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string>()
    const chunks: Buffer[] = []
    let filename: string | undefined
    let bytes = 0

    const parser = createParser(contentType)
    parser.on('field', (name, value) => {
      if (filename !== undefined) return
      const lower = String(name).toLowerCase()
      bytes += Buffer.byteLength(lower) + Buffer.byteLength(value)
      if (bytes > MAX_FIELD_BYTES) return reject(new OssError('MaxPostPreDataLengthExceededError'))
      // With two values, one could be checked and the other used.
      if (fields.has(lower)) return reject(new OssError('InvalidArgument', `The form field ${lower} stands twice.`))
      fields.set(lower, value)
    })
    parser.on('file', (_, stream, name) => {
      if (filename !== undefined) {
        reject(new OssError('InvalidArgument', 'POST requires exactly one file upload per request.'))
        stream.resume()
        return
      }
      filename = name ?? ''
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    })
    parser.on('error', () => reject(new OssError('MalformedPOSTRequest')))
    parser.on('finish', () => {
      if (filename === undefined) {
        reject(new OssError('InvalidArgument', 'POST requires exactly one file upload per request.'))
      } else {
        resolve({ fields, file: Buffer.concat(chunks), filename })
      }
    })
    parser.end(body)
  })
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      // One byte more than the limit, so that a truncated field is certainly too large.
      limits: { fieldSize: MAX_FIELD_BYTES + 1, parts: 200, headerPairs: 20, headerSize: 4096 },
    })
  } catch {
    throw new OssError('MalformedPOSTRequest')
  }
}
