import { sessionName } from '../../policy/grant/session-name.ts'
import { TEMPLATE_NAME } from '../../policy/template/template.ts'
import { DOCTOR_SESSION, doctorSession, KEY_PROBE_SESSION } from '../../sts/own-sessions.ts'

/** A caller whom a session may belong to. */
export type Candidate = Readonly<{ issuer: string; subject: string }>

/** What the name of a session says by itself. */
export type SessionName =
  /** The service's own, or the doctor's, and no caller's. */
  | Readonly<{ kind: 'own'; by: 'service' | 'doctor' }>
  /** Signs URLs and forms for all callers of the template. */
  | Readonly<{ kind: 'shared'; template: string }>
  /** A hash of issuer and subject. */
  | Readonly<{ kind: 'hashed'; template: string; base: string; label?: string }>
  /** The subject, or issuer and subject if several issuers are configured. */
  | Readonly<{ kind: 'readable'; template: string; base: string; readable: string; label?: string }>

/** Undefined for a name that is not of this service. */
export function readSessionName(name: string): SessionName | undefined {
  if (name === KEY_PROBE_SESSION) return { kind: 'own', by: 'service' }
  if (name === DOCTOR_SESSION || name.endsWith(doctorSession(''))) {
    const template = name.slice(0, -doctorSession('').length)
    if (template === '' || TEMPLATE_NAME.test(template)) return { kind: 'own', by: 'doctor' }
  }
  const [, shared] = /^(.*)\.signed-(?:reads|writes)$/u.exec(name) ?? []
  if (shared !== undefined && TEMPLATE_NAME.test(shared)) return { kind: 'shared', template: shared }
  const at = name.indexOf('@')
  const template = name.slice(0, Math.max(0, at))
  if (!TEMPLATE_NAME.test(template)) return undefined
  // No caller's own part has `@@`, or is empty; it may start with one `@`.
  const end = name.indexOf('@@', at + 2)
  const base = end < 0 ? name : name.slice(0, end)
  const readable = base.slice(at + 1)
  const more = { template, base, ...(end >= 0 && { label: name.slice(end + 2) }) }
  return readable.startsWith('=') ? { kind: 'hashed', ...more } : { kind: 'readable', ...more, readable }
}

/** The candidates whose session has this name, by computing each one's, with one issuer configured or several. */
export function ownersOf(name: SessionName, candidates: readonly Candidate[]): Candidate[] {
  if (name.kind === 'own' || name.kind === 'shared') return []
  const { template, base } = name
  return candidates.filter((one) => [true, false].some((several) => sessionName(template, one, several) === base))
}

/** The candidates that a readable name itself gives, by the issuers that are configured now. */
export function candidatesIn(name: SessionName, issuers: readonly string[]): Candidate[] {
  if (name.kind !== 'readable') return []
  const { readable } = name
  const [only] = issuers
  if (issuers.length === 1 && only !== undefined) return [{ issuer: only, subject: readable }]
  return issuers.flatMap((issuer) =>
    readable.startsWith(`${issuer}.`) ? [{ issuer, subject: readable.slice(issuer.length + 1) }] : [],
  )
}
