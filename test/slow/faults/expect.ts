import type { Answer, Rig } from './rig.ts'

/** The least that is left of a session when it is handed out, seconds, whoever asks. */
const LEAST_SECONDS = 900
/**
 * What needs nobody else takes a millisecond or two. These are for a machine that has ten other things to do meanwhile,
 * and still below what whoever waited for STS would have to wait.
 */
const QUICK_MS = { median: 1500, slowest: 4000 } as const
/** Within so much whoever is turned away is told. */
export const SHED_MS = 50

/*
 * Each of these names what is wrong with answers, in words, and nothing when all is well: thousands of them are looked
 * at, and one assertion for each takes longer than what it is about.
 */

/** What is wrong with one that should be the caller's own session, live, for as long as was promised, truly told. */
export function sessionFaults({ sandbox, truth }: Rig, answer: Answer, seconds = LEAST_SECONDS): string[] {
  const { sub, status, code, credentials, grant } = answer
  if (status !== 200) return [`${sub} is not served: ${code}`]
  const found = sandbox.world.sessions.lookup(credentials.accessKey, credentials.sessionToken)
  if (found.status !== 'valid') return [`${sub} has a session that is ${found.status}`]
  const { sessionName, expiresAt, policy } = found.session
  const leftSeconds = Math.floor((expiresAt - truth()) / 1000)
  const resources = policy?.Statement.flatMap(({ Resource }) => Resource)
  const own = `jrn:oss:*:111111111111:test-app/users/${sub}/*`
  return [
    ...(sessionName === `user-upload@${sub}` ? [] : [`${sub} has the session of ${sessionName}`]),
    ...([resources, grant.resources].every((all) => all?.join() === own) ? [] : [`${sub} has ${resources}`]),
    ...(leftSeconds >= seconds ? [] : [`${sub} has ${leftSeconds} s left, not ${seconds}`]),
    ...(Date.parse(credentials.expiration) <= expiresAt ? [] : [`${sub} is told a later end than the true one`]),
  ]
}

/** What is wrong with answers that should be sessions, and quick. */
export function servedFaults(rig: Rig, answers: readonly Answer[]): string[] {
  return [...answers.flatMap((answer) => sessionFaults(rig, answer)), ...slowness(answers)]
}

/** What is wrong with how long answers took that nobody else is needed for. */
export function slowness(answers: readonly Answer[], most: { median: number; slowest: number } = QUICK_MS): string[] {
  const times = answers.map(({ ms }) => Math.round(ms)).toSorted((a, b) => a - b)
  const [median = 0, slowest = 0] = [times[Math.floor(times.length / 2)], times.at(-1)]
  return median < most.median && slowest < most.slowest
    ? []
    : [`half of them took over ${median} ms, one ${slowest} ms`]
}

const STATUS: Readonly<Record<string, number>> = {
  upstream_unavailable: 503,
  upstream_timeout: 504,
  upstream_denied: 502,
}

/** What is wrong with a refusal that should tell its code and no more, and when to come again. */
export function refusalFaults(answer: Answer, codes: readonly string[]): string[] {
  const { sub, code, status, type, detail, retryAfter } = answer
  const passes = code === 'upstream_unavailable' || code === 'upstream_timeout'
  const wait = passes ? /^(?:[1-9]|[1-5]\d|60)$/u.test(String(retryAfter)) : true
  return [
    ...(codes.includes(code) ? [] : [`${sub} is told ${code}`]),
    ...(status === STATUS[code] ? [] : [`${sub} has status ${status} for ${code}`]),
    ...(String(type).startsWith('application/problem+json') ? [] : [`${sub} gets ${type}`]),
    ...(detail === undefined ? [] : [`${sub} is told more than a code`]),
    ...(wait ? [] : [`${sub} is told Retry-After: ${retryAfter}`]),
  ]
}
