import type { FastifyRequest } from 'fastify'
import { ERRORS, type ErrorCode, VendError } from '../../errors.ts'
import { type Asked, type Notes, notesOf } from '../../http/notes.ts'
import { withoutTokens } from '../../lib/without-tokens.ts'
import type { Pseudonyms } from './pseudonym.ts'
import type { DecisionData } from './schema.ts'

/** Characters of texts that a client chooses freely. */
const MAX = { userAgent: 256, address: 64, text: 256, items: 16 } as const

/** What the audit tells of a request. */
export function decisionOf(request: FastifyRequest, pseudonyms: Pseudonyms): DecisionData {
  const { address = '', caller, asked, issued, refusal, tokenSha256 } = notesOf(request)
  const common = {
    requestId: requestId(request, caller, pseudonyms),
    route: request.routeOptions.url ?? '',
    address: shorten(address, MAX.address),
    ...userAgent(request, pseudonyms),
    ...(tokenSha256 !== undefined && { tokenSha256 }),
  }
  const who = caller && { issuer: caller.issuer, subject: pseudonyms.subject(caller.issuer, caller.subject) }
  if (who && issued && !refusal) {
    const { grant, sessionName, session, expiration, signatures } = issued
    return {
      outcome: 'issued',
      ...common,
      ...who,
      policy: grant.template,
      target: grant.target,
      // In full: the check of the template, or of each key, has bounded all of it.
      ...asTold(asked, pseudonyms),
      actions: [...grant.actions],
      resources: grant.resources.map((text) => pseudonyms.text('resource', text)),
      sessionName: isShared(sessionName) ? sessionName : pseudonyms.text('session', sessionName),
      accessKeyId: session.accessKey,
      expiration,
      from: session.from,
      ...(signatures !== undefined && { signatures }),
    }
  }
  // Neither refused nor issued: the answer is not one of ours.
  const { code, log } = refusal ?? new VendError('internal_error')
  const { asked: told, cut } = shortened(asked, code)
  return {
    outcome: ERRORS[code].status < 500 ? 'refused' : 'failed',
    code,
    ...reasonOf(log),
    ...common,
    ...who,
    // A name that no template has is the client's own text.
    ...(told && { policy: code === 'policy_not_found' ? pseudonyms.text('policy', told.policy) : told.policy }),
    ...asTold(told, pseudonyms),
    ...(cut && { cut }),
  }
}

/** Names of sessions that many callers share have no `@`; a caller's own always has one. */
export const isShared = (sessionName: string): boolean => !sessionName.includes('@')

function asTold(asked: Asked | undefined, { text, hidden }: Pseudonyms) {
  if (!asked) return {}
  const { params = {}, operation, keys, keyPrefix } = asked
  const told = Object.entries(params).map(([name, value]) => [name, hidden ? text('param', `${name}=${value}`) : value])
  return {
    ...(told.length > 0 && { params: Object.fromEntries(told) }),
    ...(operation !== undefined && { operation }),
    ...(keys && { keys: keys.map((key) => text('key', key)) }),
    ...(keyPrefix !== undefined && { keyPrefix: text('keyPrefix', keyPrefix) }),
  }
}

/** The codes that come only after the template has accepted the parameters, and the keys are found well-formed. */
const AFTER_CHECKS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'key_not_allowed',
  'policy_too_large',
  'upstream_denied',
  'upstream_unavailable',
  'upstream_timeout',
])

/**
 * What a request asked for that was not granted. Before they are checked, parameters and keys may hold anything, a secret
 * in the wrong field included; after that they may still be many.
 */
function shortened(asked: Asked | undefined, code: ErrorCode): { asked?: Asked; cut?: true } {
  if (!asked) return {}
  if (!AFTER_CHECKS.has(code)) return { asked: { policy: asked.policy, operation: asked.operation } }
  const { policy, params = {}, operation, keys, keyPrefix } = asked
  const short = {
    params: Object.fromEntries(
      Object.entries(params)
        .slice(0, MAX.items)
        .map(([name, value]) => [withoutTokens(name), typeof value === 'string' ? shorten(value) : value]),
    ),
    keys: keys?.slice(0, MAX.items).map((key) => shorten(key)),
    keyPrefix: keyPrefix === undefined ? undefined : shorten(keyPrefix),
  }
  const cut = JSON.stringify({ params, keys, keyPrefix }) !== JSON.stringify(short)
  return { asked: { policy, operation, ...short }, ...(cut && { cut }) }
}

/** Short, and without the tokens that clients put into the wrong place. */
function shorten(text: string, most: number = MAX.text): string {
  const safe = withoutTokens(text)
  return safe.length <= most ? safe : `${safe.slice(0, most - 1).toWellFormed()}…`
}

function userAgent({ headers }: FastifyRequest, { text }: Pseudonyms) {
  const given = headers['user-agent']
  return given === undefined ? {} : { userAgent: text('userAgent', shorten(given, MAX.userAgent)) }
}

/**
 * Hidden where the client chose it, and the subject is in it or is not known: apps go on with their ids when a token has
 * expired. Any other must stay, to be found in the log.
 */
function requestId({ id, headers }: FastifyRequest, caller: Notes['caller'], { text, hidden }: Pseudonyms): string {
  const names = !caller || id.toLowerCase().includes(caller.subject.toLowerCase())
  return hidden && names && headers['x-request-id'] === id ? text('requestId', id) : id
}

/** The words of the log for a token that was refused, a limit that was met, or an STS that failed. */
function reasonOf(log: VendError['log']): { reason?: string } {
  const upstream = log?.upstream
  const nested = typeof upstream === 'object' && upstream !== null && 'reason' in upstream ? upstream.reason : undefined
  const reason = log?.reason ?? log?.limit ?? nested
  return typeof reason === 'string' && REASON.test(reason) ? { reason } : {}
}
const REASON = /^[A-Za-z][\w .,'-]{0,63}$/u
