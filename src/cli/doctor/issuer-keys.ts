import type { Issuer } from '../../identity/issuer.ts'
import type { EntryField } from '../../identity/issuer-entry.ts'
import { createKeyPool, failureOf } from '../../identity/key-server.ts'
import { isFetched, type KeyOrigin, type KeySource } from '../../identity/key-source.ts'
import { type PublishedKeys, readPublishedKeys } from '../../identity/published-keys.ts'
import { createKeyFetcher } from '../../identity/remote-keys.ts'
import { OutboundError, type Route } from '../../lib/outbound.ts'
import { settingName } from '../token/checks.ts'
import { describeOrigin, fetchFailure } from '../token/signature.ts'
import { failed, type Line, type Outcome, passed } from './check.ts'
import { outboundWords } from './connection.ts'

type Options = Readonly<{ route: Route; sandbox: boolean; fromFile: boolean }>

/** Whether each source of an issuer's keys has a key that verifies tokens of this issuer. */
export async function checkIssuerKeys(issuer: Issuer, options: Options): Promise<Outcome<true>> {
  const names = (...fields: readonly EntryField[]) =>
    fields.map((field) => settingName(field, issuer, options.fromFile))
  const lines = await Promise.all(issuer.keys.map((source) => checkSource(source, names, options)))
  return { lines, ...(lines.every(({ status }) => status === 'passed') && { value: true }) }
}

type Names = (...fields: readonly EntryField[]) => readonly string[]

async function checkSource(source: KeySource, names: Names, { route, sandbox }: Options): Promise<Line> {
  const { origin, algorithms } = source
  const what = describeOrigin(origin)
  if (origin.kind === 'jwks-file') return setLine(source, readPublishedKeys(JSON.parse(origin.set)), names)
  // A single key was checked together with the rest of the configuration.
  if (!isFetched(origin)) return passed(`verifies ${algorithms.join(' or ')} with ${what}`)
  const pool = createKeyPool(origin, route)
  try {
    return setLine(source, readPublishedKeys(await createKeyFetcher(origin, { pool, sandbox })()), names)
  } catch (error) {
    const { why, fields: found } = fetchFailure(failureOf(error))
    // A discovered address comes from the issuer: nobody has set JWT_JWKS_URL.
    const fields = origin.kind === 'discovery' && found[0] === 'jwksUrl' ? (['issuer', ...found] as const) : found
    if (error instanceof OutboundError) {
      const words = outboundWords(error)
      return failed(`no key set, ${what}: ${words.why}`, words.remedy, words.settings ?? names(...fields))
    }
    const remedy = 'compare the address with the documentation of the issuer, and look at what it answers'
    return failed(`no key set, ${what}: ${why}`, remedy, names(...fields))
  } finally {
    await pool.close()
  }
}

/** Without a key for a pinned algorithm, every token of the issuer is refused. */
function setLine({ origin, algorithms }: KeySource, { keys, dropped }: PublishedKeys, names: Names): Line {
  const what = describeOrigin(origin)
  const fitting = keys.filter((key) => key.algorithms.some((one) => algorithms.includes(one)))
  const unused = dropped.length > 0 ? `; entries that cannot be used: ${reasonsOf(dropped)}` : ''
  if (fitting.length > 0) {
    const number = fitting.length === 1 ? '1 key' : `${fitting.length} keys`
    return passed(`${number} for ${algorithms.join(' or ')}, ${what}${unused}`)
  }
  const field = addressField(origin)
  if (keys.length === 0) {
    const remedy = 'let the issuer publish a public key for signatures, or correct the address'
    return failed(`the key set has no key that can be used, ${what}${unused}`, remedy, names(field))
  }
  const has = [...new Set(keys.flatMap((key) => key.algorithms))].join(', ')
  const remedy = 'set the algorithms that the issuer signs with'
  const message = `the key set has keys for ${has}, and none for ${algorithms.join(' or ')}, ${what}${unused}`
  return failed(message, remedy, names('algorithms', field))
}

const reasonsOf = (dropped: PublishedKeys['dropped']) => [...new Set(dropped.map(({ reason }) => reason))].join(', ')

const addressField = ({ kind }: KeyOrigin): EntryField =>
  kind === 'discovery' ? 'issuer' : kind === 'jwks-file' ? 'jwksFile' : 'jwksUrl'
