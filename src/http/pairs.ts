import { VendError } from '../errors.ts'

/**
 * The names and values of a query string or a form, read in one way only: no name twice, nothing without a name, no escape
 * that is not UTF-8. Parsers differ in what they make of these, and a gateway in front may have looked at the other half.
 * @throws {VendError} `invalid_request`
 */
export function readPairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>()
  if (text === '') return pairs
  if (/[^!-~]/u.test(text)) throw malformed()
  for (const part of text.split('&')) {
    const at = part.indexOf('=')
    const name = decode(part.slice(0, at))
    const value = decode(part.slice(at + 1))
    // A name is told to the caller who sent it, so a secret in a wrong place must not pass for one.
    if (at < 1 || name === undefined || value === undefined || !/^[A-Za-z][A-Za-z0-9._-]{0,63}$/u.test(name)) {
      throw malformed()
    }
    if (pairs.has(name)) throw new VendError('invalid_request', { detail: 'a field is given twice' })
    pairs.set(name, value)
  }
  return pairs
}

const malformed = () =>
  new VendError('invalid_request', { detail: 'a field is not name=value, in UTF-8 and percent-encoded' })

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
