import { OssError } from './errors.ts'

/** A range of an object. Both ends belong to it. */
export type ByteRange = Readonly<{ first: number; last: number }>

/**
 * Reads a `Range` header for an object of this size. Undefined means the whole object: like S3, for several ranges and
 * for text that is not a range.
 *
 * @throws OssError InvalidRange
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/u.exec(header ?? '')
  if (!match) return undefined
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return undefined
  const suffix = from === ''
  const first = suffix ? Math.max(0, size - Number(to)) : Number(from)
  const last = suffix || to === '' ? size - 1 : Number(to)
  if (!suffix && to !== '' && last < first) return undefined
  if (first >= size) throw new OssError('InvalidRange')
  return { first, last: Math.min(last, size - 1) }
}

/**
 * Reads a copy's `x-amz-copy-source-range`, which must be complete and inside the source.
 *
 * @throws OssError InvalidArgument, InvalidRange
 */
export function parseCopyRange(header: string, size: number): ByteRange {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/u.exec(header) ?? []
  if (first === undefined || Number(last) < Number(first)) {
    throw new OssError('InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last.')
  }
  if (Number(last) >= size) throw new OssError('InvalidRange')
  return { first: Number(first), last: Number(last) }
}
