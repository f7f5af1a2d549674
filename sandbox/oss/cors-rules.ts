import { fitsWildcard } from '../wildcard.ts'

/** One rule of a bucket's CORS configuration. Origins and headers may contain one `*`. */
export type CorsRule = Readonly<{
  origins: readonly string[]
  methods: readonly string[]
  /** In upper or lower case. */
  headers: readonly string[]
  exposed: readonly string[]
  maxAgeSeconds: number | undefined
  id: string | undefined
}>

/** A browser's CORS request. `headers` are the names in a preflight, in lower case. */
export type CorsRequest = Readonly<{ origin: string; method: string; headers: readonly string[] }>

/** The headers that let the page read the answer, from the first rule that fits; undefined if none fits. */
export function corsHeaders(
  rules: readonly CorsRule[],
  { origin, method, headers }: CorsRequest,
): Record<string, string> | undefined {
  for (const rule of rules) {
    const allowedOrigin = rule.origins.find((pattern) => fitsWildcard(pattern, origin))
    if (allowedOrigin === undefined || !rule.methods.includes(method)) continue
    if (!headers.every((name) => rule.headers.some((pattern) => fitsWildcard(pattern.toLowerCase(), name)))) continue
    return {
      // With `*`, a browser sends no credentials. S3 makes the same difference.
      'access-control-allow-origin': allowedOrigin === '*' ? '*' : origin,
      ...(allowedOrigin !== '*' && { 'access-control-allow-credentials': 'true' }),
      'access-control-allow-methods': rule.methods.join(', '),
      ...(headers.length > 0 && { 'access-control-allow-headers': headers.join(', ') }),
      ...(rule.exposed.length > 0 && { 'access-control-expose-headers': rule.exposed.join(', ') }),
      ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    }
  }
  return undefined
}
