/** The zones that an `expiration` without a zone may be meant in; no source says which one it is. */
export type ExpirationZone = 'UTC' | '+08:00'

const OFFSET_MS: Readonly<Record<ExpirationZone, number>> = { UTC: 0, '+08:00': 8 * 3_600_000 }

/** An instant as STS prints it: `yyyy-MM-dd HH:mm:ss`, wall clock in the zone. */
export function formatExpiration(epochMs: number, zone: ExpirationZone): string {
  return new Date(epochMs + OFFSET_MS[zone]).toISOString().slice(0, 19).replace('T', ' ')
}
