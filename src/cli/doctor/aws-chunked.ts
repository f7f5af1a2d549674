import { randomUUID } from 'node:crypto'
import { DOCTOR_SESSION } from '../../sts/own-sessions.ts'
import type { AcceptedExample } from './accepted.ts'
import { failed, notChecked, type Outcome, passed } from './check.ts'
import { openHand, type ProbeContext, takeAway } from './hand.ts'
import { probeKeys } from './probe-keys.ts'

/** JD Cloud does not document how it refuses them. Ceph answers 400 to some, and 411 to others. */
const REFUSED = /^(?:NotImplemented|MissingContentLength|status (?:400|411|501))$/u

/**
 * How OSS takes a body that is framed as `aws-chunked`, as SDKs send it by default. To refuse it is what JD Cloud
 * documents. To store the frame as if it were the file would damage files in silence. Writes an object.
 */
export async function checkChunked(
  accepted: readonly AcceptedExample[],
  context: ProbeContext,
): Promise<Outcome<true>> {
  for (const one of accepted) {
    const key = probeKeys(one, context.oss, `${context.id}-chunked`).keys.get('oss:PutObject')
    if (key !== undefined) return tryChunked(key, one, context)
  }
  return { lines: [notChecked('no template lets anyone write')] }
}

async function tryChunked(
  key: string,
  { credentials }: AcceptedExample,
  context: ProbeContext,
): Promise<Outcome<true>> {
  const hand = await openHand([key], context)
  if (!(await hand?.delete(key))?.ok) {
    return { lines: [notChecked('the role may not delete, so an object would be left behind')] }
  }
  const session = await context.open(credentials)
  const content = `oss-vend doctor ${randomUUID()}\n`
  const put = await session.putChunked(key, content)
  if (!put.ok) {
    if (!REFUSED.test(put.code)) return { lines: [notChecked(`OSS answered ${put.code}`)] }
    return { lines: [passed(`OSS refuses framed bodies (${put.code}): clients need the settings in docs/clients.md`)] }
  }
  const stored = await contentOf(key)
  const left = await takeAway([key], hand)
  const note = left.length > 0 ? `; left behind: ${key}` : ''
  if (stored === undefined) return { lines: [passed(`OSS takes framed bodies; nobody could read one back${note}`)] }
  if (stored === content) return { lines: [passed(`OSS takes framed bodies, and stores what is in them${note}`)] }
  const remedy = 'every client needs the settings in docs/clients.md, or its files are damaged without an error'
  return { lines: [failed(`OSS stores the frame of an aws-chunked body as if it were the file${note}`, remedy)] }

  /** A template that writes may not read, so the role is asked for a session that only reads this object. */
  async function contentOf(name: string): Promise<string | undefined> {
    const { oss, assume, open, minSessionSeconds } = context
    const Resource = [`jrn:oss:*:${oss.account}:${oss.bucket}/${name}`]
    const policy = JSON.stringify({
      Version: '3',
      Statement: [{ Effect: 'Allow', Action: ['oss:GetObject'], Resource }],
    })
    const read = await assume({ roleSessionName: DOCTOR_SESSION, policy, durationSeconds: minSessionSeconds })
    const answer = read.credentials && (await (await open(read.credentials)).get(name))
    return answer?.ok ? answer.value : undefined
  }
}
