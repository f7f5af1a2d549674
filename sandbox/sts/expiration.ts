/** The possible time zones of an `expiration`. No source says which one STS uses. */
export type ExpirationZone = 'UTC' | '+08:00'

const OFFSET_MS: Readonly<Record<ExpirationZone, number>> = { UTC: 0, '+08:00': 8 * 3_600_000 }

/** Formats a time as STS does: `yyyy-MM-dd HH:mm:ss`, local time of the zone. */
export function formatExpiration(epochMs: number, zone: ExpirationZone): string {
  return new Date(epochMs + OFFSET_MS[zone]).toISOString().slice(0, 19).replace('T', ' ')
}
