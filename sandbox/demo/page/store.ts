import { AwsV4Signer } from 'aws4fetch'
import type { Vended } from './contract.ts'
import { Failure, type Report } from './failure.ts'
import type { Session } from './session.ts'

/** A request to the store. `key` is the whole key of the object. */
export type StoreRequest = Readonly<{
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  key: string
  query?: Readonly<Record<string, string>>
  body?: Blob | string
  signal?: AbortSignal
  /** Bytes sent so far. */
  onProgress?: (bytes: number) => void
}>

type StoreAnswer = Readonly<{ status: number; etag: string; body: Blob }>
export type Store = Readonly<{ send(request: StoreRequest): Promise<StoreAnswer> }>

/** How a store says that these credentials have ended or never were. New ones help. */
const RENEWABLE = new Set(['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId'])

/** The text of the first element with this name. */
export const textOf = (xml: string, element: string): string =>
  new RegExp(`<${element}>([^<]*)</${element}>`, 'u').exec(xml)?.[1] ?? ''

/** Signed requests to OSS. One that is refused for its credentials is sent again with new ones, once. */
export function createStore(session: Session, endpoint: string | undefined, report: Report): Store {
  return {
    async send(request) {
      const vended = await session.current()
      try {
        return await sendSigned(vended, endpoint, request, report)
      } catch (error) {
        if (!(error instanceof Failure) || !RENEWABLE.has(error.code)) throw error
        return sendSigned(await session.renew(vended), endpoint, request, report)
      }
    },
  }
}

/** Encodes a segment of a path as S3 signs it: `encodeURIComponent` leaves five characters out. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/gu, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

async function sendSigned(
  { credentials, oss }: Vended,
  endpoint: string | undefined,
  { method, key, query = {}, body = '', signal, onProgress }: StoreRequest,
  report: Report,
): Promise<StoreAnswer> {
  const path = `/${oss.bucket}/${key.split('/').map(encode).join('/')}`
  const url = new URL(
    path + (Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : ''),
    endpoint ?? oss.endpoint,
  )
  // In headers, not in the URL: a signed URL would stay behind in logs and histories.
  const { headers } = await new AwsV4Signer({
    method,
    url: url.href,
    service: 's3',
    region: oss.region,
    accessKeyId: credentials.accessKey,
    secretAccessKey: credentials.secretKey,
    sessionToken: credentials.sessionToken,
  }).sign()
  signal?.throwIfAborted()

  const shown = { to: 'store', method, path: shownPath(url) } as const
  const answer = await transfer({ method, url: url.href, headers, body, signal, onProgress }).catch(
    (error: unknown) => {
      report({ ...shown, status: signal?.aborted ? 'stopped' : 'no answer' })
      throw error
    },
  )
  report({ ...shown, status: answer.status })
  // S3 may find out that it cannot complete an upload after it has sent the status 200.
  const xml = answer.status >= 300 || method === 'POST' ? await answer.body.text() : ''
  const code = textOf(xml, 'Code')
  if (answer.status < 300 && code === '') return answer
  throw new Failure('store', code || String(answer.status), { answer: `${answer.status} ${code}`.trim() })
}

/** The id of an upload is long and tells nothing. */
function shownPath({ pathname, search }: URL): string {
  return decodeURI(pathname) + search.replace(/uploadId=[^&]*/u, 'uploadId=…').replace(/=$/u, '')
}

type Transfer = Readonly<{
  method: string
  url: string
  headers: Headers
  body: Blob | string
  signal: AbortSignal | undefined
  onProgress: ((bytes: number) => void) | undefined
}>

/** By XMLHttpRequest, because `fetch` does not tell how much of a body it has sent. */
function transfer({ method, url, headers, body, signal, onProgress }: Transfer) {
  return new Promise<StoreAnswer>((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    const abort = () => xhr.abort()
    xhr.open(method, url)
    xhr.responseType = 'blob'
    for (const [name, value] of headers) xhr.setRequestHeader(name, value)
    if (onProgress) xhr.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded))
    xhr.addEventListener('load', () => {
      const header = (name: string) => xhr.getResponseHeader(name) ?? ''
      resolve({ status: xhr.status, etag: header('etag'), body: xhr.response })
    })
    xhr.addEventListener('error', () => reject(new Failure('store', 'unreachable')))
    xhr.addEventListener('abort', () => reject(signal?.reason ?? new DOMException('Aborted', 'AbortError')))
    xhr.addEventListener('loadend', () => signal?.removeEventListener('abort', abort))
    signal?.addEventListener('abort', abort, { once: true })
    xhr.send(body === '' ? null : body)
  })
}
