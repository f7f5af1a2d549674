import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { VendError } from '../errors.ts'
import { hasUniqueNames } from '../lib/unique-names.ts'

/** JSON is the only body that is read, and each has one meaning. */
export function acceptJsonAlone(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = request.headers
    const charset = /;\s*charset="?([^";\s]*)/iu.exec(type)?.[1] ?? 'utf-8'
    if (encoding.toLowerCase() !== 'identity' || charset.toLowerCase() !== 'utf-8') {
      return done(new VendError('unsupported_media_type'))
    }
    // A decoder would put the same character in place of all bytes that are none.
    if (!isUtf8(bytes)) return done(new VendError('invalid_request', { detail: 'the body is not UTF-8' }))
    const text = bytes.toString()
    parse(request, text, (error, value) => {
      if (error) return done(new VendError('invalid_request', { detail: reasonOf(text) }))
      if (hasUniqueNames(text, value)) done(null, value)
      else done(new VendError('invalid_request', { detail: 'an object of the body has two members of one name' }))
    })
  })
}

/** Why the parser refuses a text: it is no JSON, or it would change the prototype of an object. */
function reasonOf(text: string): string {
  if (text === '') return 'the body is empty'
  try {
    JSON.parse(text)
    return 'an object of the body has a member that is not allowed'
  } catch {
    return 'the body is not valid JSON'
  }
}
