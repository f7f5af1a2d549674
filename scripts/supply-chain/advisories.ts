import { z } from 'zod'
import { parseYaml } from '../../src/config/yaml.ts'

/** An exception is looked at again after this long, so no entry may run for longer. */
const MOST_DAYS = 180
const DAY_MS = 86_400_000

const acceptedSchema = z.array(
  z.strictObject({
    id: z.string().regex(/^(?:GHSA(?:-[0-9a-z]{4}){3}|CVE-\d{4}-\d{4,})$/u, 'must be a GHSA or CVE id'),
    /** The last day. */
    until: z.iso.date(),
    reason: z.string().min(20, 'must say why, in 20 characters or more'),
  }),
)

/** The advisories that may stay open, with a reason and a last day. */
export type AcceptedAdvisories = z.output<typeof acceptedSchema>

/** Reads the allow-list. @throws {z.ZodError} if it has another form, or a missing reason */
export const readAccepted = (yaml: string): AcceptedAdvisories => acceptedSchema.parse(parseYaml(yaml, 'core'))

const advisorySchema = z.object({ name: z.string(), title: z.string(), url: z.string(), severity: z.string() })
const auditSchema = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), advisorySchema])) })),
})

/** npm's output for an answer that is not an audit. Its message has the address of the registry, so it is not printed. */
const refusalSchema = z.object({ statusCode: z.int() })

/** `unchecked`: the registry did not answer what was asked, so nobody knows of any advisory. */
export type AdvisoryReport = Readonly<{
  outcome: 'clean' | 'open' | 'unchecked'
  lines: readonly string[]
}>

/** Exit codes. Nothing that reads only "not zero" may take `unchecked` for a pass. */
export const EXIT_CODES = { clean: 0, open: 1, unchecked: 3 } as const satisfies Record<
  AdvisoryReport['outcome'],
  number
>

/**
 * Judges the output of `npm audit --json`. Entries of the allow-list that are too old, or run for too long, are faults
 * even where the registry has no advisories: they are known without it.
 * @param now epoch milliseconds
 */
export function checkAdvisories(output: string, accepted: AcceptedAdvisories, now: number): AdvisoryReport {
  const faults = accepted.flatMap(({ id, until }) => {
    const days = (Date.parse(until) - now) / DAY_MS
    if (days < -1) return [`✗ ${id} was accepted until ${until}: fix it, or accept it again with a reason`]
    return days > MOST_DAYS ? [`✗ ${id} is accepted until ${until}: an entry may run for ${MOST_DAYS} days`] : []
  })
  const { data } = auditSchema.safeParse(parseJson(output))
  if (!data) {
    const { statusCode } = refusalSchema.safeParse(parseJson(output)).data ?? {}
    const why = statusCode
      ? `the registry offers no audit (it answers ${statusCode})`
      : 'npm could not ask the registry'
    const unknown = `! not checked: ${why}. Nobody knows whether an advisory is open.`
    return { outcome: faults.length > 0 ? 'open' : 'unchecked', lines: [...faults, unknown] }
  }
  const found = new Map(
    Object.values(data.vulnerabilities)
      .flatMap(({ via }) => via)
      .flatMap((one) => (typeof one === 'string' ? [] : [[idOf(one.url), one] as const])),
  )
  const known = new Set(accepted.map(({ id }) => id))
  const open = [...found].filter(([id]) => !known.has(id))
  const unused = [...known]
    .filter((id) => !found.has(id))
    .map((id) => `! ${id} is accepted and no longer open: remove it`)
  const lines = open.map(([id, { name, severity, title, url }]) => `✗ ${id} ${severity} in ${name}: ${title} (${url})`)
  const used = known.size - unused.length
  const sums = `${open.length} open, ${used} accepted`
  return { outcome: open.length + faults.length > 0 ? 'open' : 'clean', lines: [...faults, ...lines, ...unused, sums] }
}

const idOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
