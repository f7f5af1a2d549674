import { InvalidArgumentError } from 'commander'

function nameAndValue(text: string): [name: string, value: string] {
  const [, name, value = ''] = /^([^=]+)=(.*)$/su.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('must be name=value.')
  return [name, value]
}

/** Collects `--claim name=value`. A value may be JSON, for lists and numbers. */
export function collectClaim(text: string, claims: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [name, value] = nameAndValue(text)
  if (Object.hasOwn(claims, name)) throw new InvalidArgumentError(`${name} is given twice.`)
  // A subject is always a text, even if it has only digits.
  return { ...claims, [name]: name !== 'sub' && /^[[{\d"tfn-]/u.test(value) ? parseOr(value) : value }
}

/** Collects `--param name=value`. */
export function collectParam(text: string, params: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, value] = nameAndValue(text)
  if (Object.hasOwn(params, name)) throw new InvalidArgumentError(`${name} is given twice.`)
  return { ...params, [name]: value }
}

function parseOr(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
