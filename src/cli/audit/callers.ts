import { type Pseudonyms, plain, pseudonyms } from '../../observe/audit/pseudonym.ts'
import { type AuditEvent, eventSchema } from '../../observe/audit/schema.ts'
import { type Line, parsed } from './lines.ts'
import type { Candidate } from './names.ts'

type Issued = Extract<AuditEvent, { type: 'oss-vend.decision.issued' }>

/** An event matches if it has all of these in common with the entry in JD Cloud's audit. */
export type Wanted = Readonly<{
  session?: string | undefined
  accessKey?: string | undefined
  /** Epoch milliseconds: what was given out must have been valid then. */
  at?: number | undefined
  /** The key of an object, for sessions that sign for many callers. */
  key?: string | undefined
}>

/** A caller, with all events that fit. */
export type Found = {
  issuer: string
  subject: string
  /** The subject, if it is a keyed hash that is known. */
  revealed?: string
  policies: string[]
  targets: string[]
  sessionNames: string[]
  events: number
  first: string
  last: string
  /** When the last of it ends or ended. */
  expiration: string
  addresses: string[]
  accessKeyIds: string[]
  requestIds: string[]
}

/** Of each list, the most that is kept. */
const MAX_ITEMS = 20

/**
 * Callers who were given what fits, in the order of their first event. Events of a replica that hid its subjects are
 * found by the keys that it had.
 * @param candidates subjects that hashes are compared with
 */
export async function callersIn(
  lines: AsyncIterable<Line>,
  wanted: Wanted,
  { keys, candidates }: Readonly<{ keys: readonly Buffer[]; candidates: readonly Candidate[] }>,
): Promise<Found[]> {
  const readers = [plain, ...keys.map(pseudonyms)]
  const tests = readers.map((reader) => testOf(wanted, reader))
  const subjects = new Map(
    readers
      .slice(1)
      .flatMap(({ subject: hide }) =>
        candidates.map(({ issuer, subject }) => [hide(issuer, subject), subject] as const),
      ),
  )
  const found = new Map<string, Found>()
  for await (const { text } of lines) {
    const event = eventSchema.safeParse(parsed(text)).data
    if (event?.type !== 'oss-vend.decision.issued' || !tests.some((fits) => fits(event))) continue
    const id = JSON.stringify([event.data.issuer, event.data.subject])
    const known = found.get(id) ?? begin(event, subjects)
    found.set(id, known)
    add(known, event)
  }
  return [...found.values()].toSorted((a, b) => a.first.localeCompare(b.first))
}

function testOf({ session, accessKey, at, key }: Wanted, { text }: Pseudonyms): (event: Issued) => boolean {
  const names = session === undefined ? [] : [session, text('session', session)]
  const keys = key === undefined ? [] : [text('key', key)]
  // A form for a prefix is good for every key that starts with it.
  const prefixes = new Set(key === undefined ? [] : Array.from(key, (_, i) => text('keyPrefix', key.slice(0, i + 1))))
  return ({ time, data }) =>
    (session === undefined || names.includes(data.sessionName)) &&
    (accessKey === undefined || data.accessKeyId === accessKey) &&
    (at === undefined || (Date.parse(time) <= at && at <= Date.parse(data.expiration))) &&
    (key === undefined ||
      keys.some((one) => data.keys?.includes(one)) ||
      (data.keyPrefix !== undefined && prefixes.has(data.keyPrefix)))
}

function begin({ time, data: { issuer, subject, expiration } }: Issued, subjects: ReadonlyMap<string, string>): Found {
  const revealed = subjects.get(subject)
  const lists = { policies: [], targets: [], sessionNames: [], addresses: [], accessKeyIds: [], requestIds: [] }
  return {
    issuer,
    subject,
    ...(revealed !== undefined && { revealed }),
    ...lists,
    events: 0,
    first: time,
    last: time,
    expiration,
  }
}

function add(found: Found, { time, data }: Issued): void {
  found.events++
  if (time < found.first) found.first = time
  if (time > found.last) found.last = time
  if (data.expiration > found.expiration) found.expiration = data.expiration
  keep(found.policies, data.policy)
  keep(found.targets, data.target)
  keep(found.sessionNames, data.sessionName)
  keep(found.addresses, data.address)
  keep(found.accessKeyIds, data.accessKeyId)
  keep(found.requestIds, data.requestId)
}

function keep(list: string[], item: string): void {
  if (!list.includes(item) && list.length < MAX_ITEMS) list.push(item)
}
