import type { Vended } from './contract.ts'
import { Failure, TooLarge } from './failure.ts'
import { actionWord, allows } from './grant-words.ts'
import type { Language, Word } from './language.ts'

/** A refusal in plain words: why, what to do, and the answer itself for people who look it up. */
export type Explanation = Readonly<{ why: string; todo: string; answer: string }>

/** The attempt that failed, as far as it is known. */
export type Attempt = Readonly<{ action?: string; key?: string; vended?: Vended; name?: string }>

const STORE: Readonly<Record<string, readonly [why: Word, todo: Word]>> = {
  EntityTooLarge: ['whyStoreTooLarge', 'todoTooLarge'],
  ExpiredToken: ['whySession', 'todoSession'],
  InvalidToken: ['whySession', 'todoSession'],
  InvalidAccessKeyId: ['whySession', 'todoSession'],
  RequestTimeTooSkewed: ['whyClock', 'todoClock'],
  NoSuchKey: ['whyMissing', 'todoMissing'],
  NoSuchUpload: ['whyUploadEnded', 'todoUploadEnded'],
  unreachable: ['whyStoreGone', 'todoGone'],
}

const SERVICE: Readonly<Record<string, readonly [why: Word, todo: Word]>> = {
  unauthenticated: ['whySignedOut', 'todoSignedOut'],
  policy_not_allowed: ['whyPolicy', 'todoPolicy'],
  policy_not_found: ['whyNoPolicy', 'todoNoPolicy'],
  invalid_request: ['whyValue', 'todoValue'],
  unsafe_value: ['whyValue', 'todoValue'],
  rate_limited: ['whyTooMany', 'todoRetry'],
  upstream_denied: ['whyOperator', 'todoOperator'],
  upstream_unavailable: ['whyBusy', 'todoRetry'],
  upstream_timeout: ['whyBusy', 'todoRetry'],
  overloaded: ['whyBusy', 'todoRetry'],
  not_ready: ['whyBusy', 'todoRetry'],
  unreachable: ['whyServiceGone', 'todoGone'],
}

/** Explains any error of the page. */
export function explain(language: Language, error: unknown, attempt: Attempt = {}): Explanation {
  const { say, size, any } = language
  if (error instanceof TooLarge) {
    const why = say('whyTooLarge', { size: size(error.size), max: size(error.max) })
    return { why, todo: say('todoTooLarge'), answer: '' }
  }
  if (!(error instanceof Failure)) {
    return { why: say('whyUnknown'), todo: say('todoRetry'), answer: error instanceof Error ? error.message : '' }
  }

  const { by, code, answer, requestId, retryAfter } = error
  const { action = '', key = '', vended, name = '' } = attempt
  const [why, todo] = wordsFor(error, attempt)
  const values = {
    code,
    key,
    name,
    id: requestId,
    seconds: retryAfter,
    action: actionWord(language, action),
    prefixes: any(vended?.oss.prefixes ?? []),
  }
  const waits = by === 'service' && todo === 'todoRetry' && retryAfter !== ''
  return { why: say(why, values), todo: say(waits ? 'todoWait' : todo, values), answer }
}

function wordsFor({ by, code }: Failure, attempt: Attempt): readonly [why: Word, todo: Word] {
  if (by === 'service') return SERVICE[code] ?? ['whyService', 'todoRetry']
  return (code === 'AccessDenied' ? denied(attempt) : STORE[code]) ?? ['whyStore', 'todoRetry']
}

/** The store says only “denied”. The grant tells which part of it was missing. */
function denied({ action = '', key = '', vended }: Attempt): readonly [why: Word, todo: Word] | undefined {
  if (!vended) return undefined
  if (!vended.oss.prefixes.some((prefix) => key.startsWith(prefix))) return ['whyWrongFolder', 'todoWrongFolder']
  if (!allows(vended, action)) return ['whyNotAllowed', 'todoNotAllowed']
  // Callers who may not list are not told that a file is missing: the store denies that, too.
  return action === 'oss:GetObject' ? ['whyMissing', 'todoMissing'] : undefined
}
