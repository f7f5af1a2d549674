import { z } from 'zod'
import type { Denial } from '../config/deny-file.ts'

/**
 * One statement of the shared list about a name: it is denied, or it was lifted. `at` is the instant of the statement by
 * the clock of Redis. The later statement counts.
 */
export type DenyRecord = Denial & Readonly<{ denied: boolean; at: number }>

/** Records by {@link recordKey}. */
export type Records = ReadonlyMap<string, DenyRecord>

const DAY_MS = 86_400_000
/**
 * Lifted and ended entries are remembered for this long. Without them, a replica that missed the change, or an old list
 * that somebody puts back, would deny the name again.
 */
const MEMORY_MS = 30 * DAY_MS
/** Lists that were written longer ago are refused. Replicas write theirs again each day. */
export const MAX_AGE_MS = MEMORY_MS
export const REWRITE_MS = DAY_MS
export const MAX_RECORDS = 2000

const recordSchema = z.strictObject({
  by: z.enum(['subject', 'issuer', 'token']),
  issuer: z.string(),
  name: z.string(),
  reason: z.string().exactOptional(),
  until: z.int().exactOptional(),
  denied: z.boolean(),
  at: z.int().nonnegative(),
})
const listSchema = z.strictObject({ writtenAt: z.int().positive(), records: z.array(recordSchema).max(MAX_RECORDS) })

/** A list as it is sealed, and when it was written by the clock of Redis. */
export type WrittenList = Readonly<{ writtenAt: number; records: Records }>

export const recordKey = ({ by, issuer, name }: Pick<Denial, 'by' | 'issuer' | 'name'>) =>
  JSON.stringify([by, issuer, name])

export function writeRecords(records: Records, writtenAt: number): string {
  return JSON.stringify({ writtenAt, records: [...records.values()] })
}

/** Undefined for anything that {@link writeRecords} did not write. */
export function readRecords(text: string): WrittenList | undefined {
  try {
    const { data } = listSchema.safeParse(JSON.parse(text))
    return data && { writtenAt: data.writtenAt, records: byKey(data.records) }
  } catch {
    return undefined
  }
}

export const byKey = (records: readonly DenyRecord[]): Records => new Map(records.map((one) => [recordKey(one), one]))

/** The union of both. The later statement about a name counts; of two at the same time, the one that denies. */
export function mergeRecords(these: Records, those: Records): Records {
  const merged = new Map(these)
  for (const [key, record] of those) {
    const known = merged.get(key)
    if (!known || record.at > known.at || (record.at === known.at && record.denied)) merged.set(key, record)
  }
  return merged
}

/** Whether a list lacks a statement that we know. */
export const lacks = (list: Records, known: Records): boolean =>
  [...known].some(([key, { at }]) => (list.get(key)?.at ?? -1) < at)

/** Drops records that are no longer needed. If too many are left, it drops the oldest that deny nobody. */
export function pruned(records: Records, now: number): Records {
  const endOf = ({ denied, at, until = Number.POSITIVE_INFINITY }: DenyRecord) => (denied ? until : at)
  const kept = [...records].filter(([, record]) => endOf(record) > now - MEMORY_MS)
  if (kept.length <= MAX_RECORDS) return new Map(kept)
  const ended = kept.filter(([, record]) => endOf(record) <= now).sort(([, a], [, b]) => endOf(a) - endOf(b))
  const dropped = new Set(ended.slice(0, kept.length - MAX_RECORDS).map(([key]) => key))
  return new Map(kept.filter(([key]) => !dropped.has(key)))
}
