/** A refusal of the service or of the store, or no answer at all (`code` is then `unreachable`). */
export class Failure extends Error {
  readonly by: 'service' | 'store'
  readonly code: string
  /** The status and words of the answer, for people who look it up. */
  readonly answer: string
  readonly requestId: string
  readonly retryAfter: string

  constructor(by: 'service' | 'store', code: string, { answer = '', requestId = '', retryAfter = '' } = {}) {
    super(`${by}: ${code}`)
    this.by = by
    this.code = code
    this.answer = answer
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

/** A file that the page does not even send. */
export class TooLarge extends Error {
  readonly size: number
  readonly max: number

  constructor(size: number, max: number) {
    super('too large')
    this.size = size
    this.max = max
  }
}

/** One request and its result, for the list of requests. */
export type Exchange = Readonly<{
  to: 'service' | 'store'
  method: string
  path: string
  status: number | 'no answer' | 'stopped'
}>
export type Report = (exchange: Exchange) => void
