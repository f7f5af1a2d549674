import { randomUUID } from 'node:crypto'
import type { OssAction } from '../../policy/language/operations.ts'
import type { AcceptedExample } from './accepted.ts'
import type { FieldNames } from './assume-role.ts'
import { bucketFault } from './bucket.ts'
import { failed, type Line, type Outcome, passed } from './check.ts'
import { openHand, type ProbeContext, takeAway } from './hand.ts'
import { type ProbeKeys, probeKeys } from './probe-keys.ts'
import type { Answer, Store } from './s3.ts'

/** The name of an object that cannot be deleted again: the next run writes it anew instead of adding one. */
const KEPT = 'probe'

/** Answers about an upload to those who may ask. Ceph names the key. */
const NOT_FOUND: readonly string[] = ['NoSuchUpload', 'NoSuchKey']

type Context = ProbeContext & Readonly<{ names: FieldNames }>

/** Whether the role covers what the examples of a template can do, and a neighbour's folder is shut. Writes objects. */
export async function checkProbe(accepted: readonly AcceptedExample[], context: Context): Promise<Outcome<true>> {
  const lines: Line[] = []
  for (const [index, one] of accepted.entries()) {
    // Templates are probed side by side, often in the same folder.
    const id = `${context.id}-${one.grant.template}-${index + 1}`
    lines.push(...(await probeExample(one, { ...context, id })))
  }
  return { lines }
}

async function probeExample(accepted: AcceptedExample, context: Context): Promise<readonly Line[]> {
  const { oss, id } = context
  const planned = probeKeys(accepted, oss, id)
  const all = [...planned.keys.values(), ...(planned.neighbour === undefined ? [] : [planned.neighbour])]
  const hand = all.length > 0 ? await openHand(all, context) : undefined
  // Nothing is there yet: the answer tells whether what is written now can be taken away again.
  const erasable = all[0] !== undefined && ((await hand?.delete(all[0]))?.ok ?? false)
  const plan = erasable ? planned : probeKeys(accepted, oss, `${KEPT}-${accepted.grant.template}`)
  const session = await context.open(accepted.credentials)
  const written = new Set<string>()
  const found: Found = { done: [], folders: new Set(), shut: [], failures: [], notes: [] }
  try {
    const probe = { plan, session, hand, written, found, context }
    await tryObjects(probe)
    await tryBucket(probe)
    await tryNeighbour(probe)
  } finally {
    const left = await takeAway(written, hand, plan.keys.has('oss:DeleteObject') ? session : undefined)
    if (left.length > 0) found.notes.push(`left behind, because the role may not delete it: ${left.join(', ')}`)
  }
  const notes = found.notes.map((note) => `; ${note}`).join('')
  if (found.failures.length === 0) {
    const where = found.folders.size > 0 ? ` in ${[...found.folders].join(', ')}` : ''
    return [passed(`${found.done.join(', ') || 'nothing to try'}${where}${found.shut.join('')}${notes}`)]
  }
  return found.failures.map((line, index) => (index === 0 ? { ...line, message: `${line.message}${notes}` } : line))
}

/** What a probe found. Filled in as it goes, so that it is told even if the probe ends early. */
type Found = Readonly<{ done: string[]; folders: Set<string>; shut: string[]; failures: Line[]; notes: string[] }>

type Probe = Readonly<{
  plan: ProbeKeys
  session: Store
  hand: Store | undefined
  written: Set<string>
  found: Found
  context: Context
}>

async function tryObjects({ plan, session, hand, written, found, context }: Probe): Promise<void> {
  const { keys } = plan
  const judge = (action: OssAction, what: string, key: string, answer: Answer) => {
    if (answer.ok) {
      found.done.push(what)
      found.folders.add(key.slice(0, key.lastIndexOf('/') + 1) || 'the bucket')
    } else found.failures.push(refusedBy(action, key, answer, context))
    return answer.ok
  }
  const content = `oss-vend doctor ${randomUUID()}\n`
  const put = keys.get('oss:PutObject')
  if (put !== undefined) {
    const answer = await session.put(put, content)
    noteWritten(put, answer, written)
    judge('oss:PutObject', 'writes', put, answer)
  }

  // Of an upload that nobody has begun, so nothing is written.
  const ofUpload = (answer: Answer): Answer =>
    !answer.ok && NOT_FOUND.includes(answer.code) ? { ok: true, value: undefined } : answer
  const parts = keys.get('oss:ListMultipartUploadParts')
  if (parts !== undefined) {
    judge('oss:ListMultipartUploadParts', 'lists parts', parts, ofUpload(await session.listParts(parts)))
  }
  const abort = keys.get('oss:AbortMultipartUpload')
  if (abort !== undefined) {
    judge('oss:AbortMultipartUpload', 'aborts uploads', abort, ofUpload(await session.abort(abort)))
  }

  const get = keys.get('oss:GetObject')
  if (get !== undefined && (written.has(get) || (await layOut(get, content, hand, written)))) {
    const answer = await session.get(get)
    const same = !answer.ok || answer.value === content
    const remedy = 'look for a proxy or a rule of the bucket that changes objects'
    if (same) judge('oss:GetObject', 'reads', get, answer)
    else found.failures.push(failed(`reads other bytes from ${get} than were written`, remedy))
  } else if (get !== undefined) found.notes.push('reading was not tried: the role cannot write an object to read')

  const remove = keys.get('oss:DeleteObject')
  if (remove !== undefined) {
    const gone = judge('oss:DeleteObject', 'deletes', remove, await session.delete(remove))
    if (gone) written.delete(remove)
  }
  if (plan.withoutKey.length > 0) {
    found.notes.push(`not tried, because it is for single keys: ${plan.withoutKey.join(', ')}`)
  }
}

async function tryBucket({ plan, session, found, context }: Probe): Promise<void> {
  for (const action of plan.onBucket) {
    if (action !== 'oss:ListBucket' && action !== 'oss:ListBucketMultipartUploads') {
      found.notes.push(`not tried: ${action}`)
      continue
    }
    const answer = await (action === 'oss:ListBucket' ? session.list() : session.listUploads())
    if (answer.ok) found.done.push(`does ${action}`)
    else found.failures.push(refusedBy(action, context.oss.bucket, answer, context))
  }
}

/** Writes beside the folder, or, if the template only reads, reads there what the doctor itself has written. */
async function tryNeighbour({ plan, session, hand, written, found, context }: Probe): Promise<void> {
  const { neighbour: key, keys } = plan
  if (key === undefined) return
  if (keys.has('oss:PutObject')) {
    const answer = await session.put(key, 'oss-vend doctor\n')
    noteWritten(key, answer, written)
    judgeNeighbour(answer, 'write')
  } else if (keys.has('oss:GetObject') && (await layOut(key, 'oss-vend doctor\n', hand, written))) {
    judgeNeighbour(await session.get(key), 'read')
  }

  function judgeNeighbour(answer: Answer, what: string) {
    if (answer.ok) {
      const remedy =
        'do not go live: the store ignores the session policy, so every caller can reach what the role can reach'
      found.failures.push(failed(`can ${what} ${key}, which its policy does not open`, remedy))
    } else if (answer.code === 'AccessDenied') found.shut.push(`; ${what}s nothing beside it`)
    else found.failures.push(bucketFault(answer, context.oss, context.names))
  }
}

/** Whether the doctor could write an object for others to read. */
async function layOut(key: string, content: string, hand: Store | undefined, written: Set<string>): Promise<boolean> {
  const answer = await hand?.put(key, content)
  if (answer) noteWritten(key, answer, written)
  return answer?.ok ?? false
}

/** Without an answer, the object may be there. */
function noteWritten(key: string, answer: Answer, written: Set<string>): void {
  if (answer.ok || answer.code !== 'AccessDenied') written.add(key)
}

function refusedBy(action: OssAction, key: string, answer: Extract<Answer, { ok: false }>, context: Context): Line {
  if (answer.code === 'AccessDenied') {
    const remedy = `allow ${action} there in the policy of the role (oss-vend iam prints it), or take it out of the template`
    return failed(`the role does not allow ${action} on ${key}`, remedy, context.names('role'))
  }
  const fault = bucketFault(answer, context.oss, context.names)
  return { ...fault, message: `${action} on ${key}: ${fault.message}` }
}
