import { Failure, TooLarge } from './failure.ts'
import { type Store, textOf } from './store.ts'

export type UploadState =
  | Readonly<{ kind: 'sending' | 'finishing' | 'paused' | 'done' }>
  | Readonly<{ kind: 'failed'; error: unknown }>

/** One file on its way into the store. */
export type Upload = Readonly<{
  file: File
  key: string
  state(): UploadState
  /** Bytes that the store has. */
  sent(): number
  /** The current part and how many there are, from 1; one for a small file. */
  part(): Readonly<{ number: number; of: number }>
  /** Starts, resumes or tries again. Parts that the store has already are not sent twice. */
  run(): Promise<void>
  pause(): void
  /** Gives up and deletes the parts that the store holds, because they cost money and nobody sees them. */
  cancel(): Promise<void>
}>

export type UploadOptions = Readonly<{
  file: File
  key: string
  store: Store
  partBytes: number
  maxFileBytes: number
  onChange: () => void
}>

export function createUpload({ file, key, store, partBytes, maxFileBytes, onChange }: UploadOptions): Upload {
  const count = Math.max(1, Math.ceil(file.size / partBytes))
  let state: UploadState = { kind: 'paused' }
  let uploadId = ''
  let etags: string[] = []
  let inFlight = 0
  let stop = new AbortController()
  let last: Promise<void> = Promise.resolve()

  function become(next: UploadState): void {
    state = next
    onChange()
  }
  function onProgress(bytes: number): void {
    inFlight = bytes
    onChange()
  }

  async function sendWhole(signal: AbortSignal): Promise<void> {
    await store.send({ method: 'PUT', key, body: file, signal, onProgress })
  }

  async function sendInParts(signal: AbortSignal): Promise<void> {
    if (uploadId === '') {
      // Not aborted by a pause: an upload whose id nobody knows could not be deleted.
      const { body } = await store.send({ method: 'POST', key, query: { uploads: '' } })
      uploadId = textOf(await body.text(), 'UploadId')
    }
    while (etags.length < count) {
      signal.throwIfAborted()
      const start = etags.length * partBytes
      const query = { partNumber: String(etags.length + 1), uploadId }
      const body = file.slice(start, start + partBytes)
      const { etag } = await store.send({ method: 'PUT', key, query, body, signal, onProgress })
      etags.push(etag)
      onProgress(0)
    }
    signal.throwIfAborted()
    become({ kind: 'finishing' })
    const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
    await store.send({ method: 'POST', key, query: { uploadId }, body })
    uploadId = ''
  }

  async function attempt(signal: AbortSignal): Promise<void> {
    try {
      if (file.size > maxFileBytes) throw new TooLarge(file.size, maxFileBytes)
      await (count > 1 ? sendInParts(signal) : sendWhole(signal))
      become({ kind: 'done' })
    } catch (error) {
      inFlight = 0
      if (signal.aborted) return
      if (error instanceof Failure && error.code === 'NoSuchUpload') {
        uploadId = ''
        etags = []
      }
      become({ kind: 'failed', error })
    }
  }

  function halt(): void {
    stop.abort()
    inFlight = 0
  }

  return {
    file,
    key,
    state: () => state,
    sent: () => (state.kind === 'done' ? file.size : Math.min(file.size, etags.length * partBytes + inFlight)),
    part: () => ({ number: Math.min(count, etags.length + 1), of: count }),
    run() {
      if (state.kind !== 'paused' && state.kind !== 'failed') return last
      stop = new AbortController()
      const { signal } = stop
      become({ kind: 'sending' })
      // After the end of a paused attempt, which may still wait for the id of its upload.
      last = last.then(() => (signal.aborted ? undefined : attempt(signal)))
      return last
    },
    pause() {
      if (state.kind !== 'sending') return
      halt()
      become({ kind: 'paused' })
    },
    async cancel() {
      halt()
      await last
      if (uploadId !== '') await store.send({ method: 'DELETE', key, query: { uploadId } })
    },
  }
}
