import { OssError } from './errors.ts'
import { decodePercent } from './percent.ts'

/** The longest key. */
export const MAX_KEY_BYTES = 1024

/** The target of a request. `key` is empty for a bucket operation; without a bucket it is an account operation. */
export type Target = Readonly<{
  bucket: string | undefined
  key: string
  /** Decoded once, as a whole. */
  path: string
  query: ReadonlyMap<string, string>
}>

/**
 * Reads a request target in path style, or in virtual host style if the host starts with the name of a bucket. Keys are
 * literal: `..`, `.` and empty segments stay.
 *
 * @throws OssError InvalidURI, KeyTooLongError
 */
export function parseTarget(url: string, host: string, buckets: readonly string[]): Target {
  // Raw bytes beyond ASCII can be decoded in several ways, and an absolute URL has a second host.
  if (!/^\/[\x21-\x7e]*$/u.test(url)) throw new OssError('InvalidURI')
  const mark = url.indexOf('?')
  const path = decodePercent(mark < 0 ? url : url.slice(0, mark))
  const query = parseQuery(mark < 0 ? '' : url.slice(mark + 1))

  const virtual = buckets.find((name) => host.toLowerCase().startsWith(`${name}.`))
  const [bucket, key] = virtual === undefined ? splitPath(path.slice(1)) : [virtual, path.slice(1)]
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new OssError('KeyTooLongError')
  return { bucket, key, path, query }
}

function splitPath(path: string): [bucket: string | undefined, key: string] {
  if (path === '') return [undefined, '']
  const slash = path.indexOf('/')
  return slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)]
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeForm(equals < 0 ? pair : pair.slice(0, equals))
    // Of a repeated parameter, one value would be signed and another might be used.
    if (name === '' || query.has(name))
      throw new OssError('InvalidURI', 'A query parameter has no name, or stands twice.')
    query.set(name, equals < 0 ? '' : decodeForm(pair.slice(equals + 1)))
  }
  return query
}

const decodeForm = (text: string) => decodePercent(text.replaceAll('+', ' '))
