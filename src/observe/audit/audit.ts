import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { DestinationStream } from 'pino'
import { Counter, type Registry } from 'prom-client'
import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../config/faults.ts'
import { VendError } from '../../errors.ts'
import { noteRefusal, notesOf, notingCallers } from '../../http/notes.ts'
import type { Authenticate } from '../../identity/authenticate.ts'
import type { Clock } from '../../lib/clock.ts'
import { packageVersion } from '../../lib/package-version.ts'
import { createChain } from './chain.ts'
import { decisionOf } from './event.ts'
import { plain, pseudonyms } from './pseudonym.ts'
import type { Outcome, RunData } from './schema.ts'
import { type AuditStream, createStdout, fileStream, requireAppendable, stdoutStream } from './stream.ts'
import { readTail, type Tail } from './tail.ts'

type Dependencies = Readonly<{
  logger: FastifyBaseLogger
  metrics: Registry
  clock: Pick<Clock, 'now' | 'every'>
  /** The one standard output of the process. */
  stdout?: DestinationStream | undefined
}>

/** What the service needs of its audit. */
export type Audit = Readonly<{
  /** Notes the callers whom `authenticate` finds. */
  noting: (authenticate: Authenticate) => Authenticate
  /** For the rotation of the file. */
  reopen: (why: 'clock' | 'asked') => Promise<void>
}>

/** How often the log names the head of the chain. */
const HEAD_MS = 60_000
const OUTCOMES: readonly Outcome[] = ['issued', 'refused', 'failed']
const OFF: Audit = { noting: (authenticate) => authenticate, reopen: async () => {} }

/**
 * Writes one event for each request on a route with `config: { vends: true }`, whatever becomes of it. Must be called
 * before the first hook that refuses.
 * @throws {ConfigError} if the file cannot be opened
 */
export async function registerAudit(
  app: FastifyInstance,
  { log, chainKeys: [chainKey], subjectKeys: [subjectKey] }: Config['audit'],
  { logger, metrics, clock, stdout }: Dependencies,
): Promise<Audit> {
  if (log === 'none') return OFF
  const events = new Counter({
    name: 'oss_vend_audit_events_total',
    help: 'Audit events, by outcome: issued, refused or failed.',
    labelNames: ['outcome'],
    registers: [metrics],
  })
  for (const outcome of OUTCOMES) events.inc({ outcome }, 0)
  const lost = new Counter({
    name: 'oss_vend_audit_lost_total',
    help: 'Audit events that could not be written and are lost.',
    registers: [metrics],
  })
  const onLost = () => lost.inc()
  const tail = log === 'stdout' ? NO_TAIL : await tailOf(log)
  const stream =
    log === 'stdout' ? stdoutStream(stdout ?? createStdout(), { onLost }) : fileStream(log, { logger, onLost })
  // Or its first line would be a part of the cut one.
  if (tail.cut) stream.write('')

  const hide = subjectKey ? pseudonyms(subjectKey) : plain
  const run = createRun(stream, { chainKey, previous: tail.mac, now: clock.now })
  const about: RunData = {
    version: packageVersion(),
    chained: chainKey !== undefined,
    subject: subjectKey ? 'hmac' : 'plain',
  }
  const record = (request: FastifyRequest) => {
    const notes = notesOf(request)
    if (notes.recorded) return
    notes.recorded = true
    try {
      const data = decisionOf(request, hide)
      events.inc({ outcome: data.outcome })
      run.write(`oss-vend.decision.${data.outcome}`, data)
    } catch (error) {
      // Some events end a connection that is gone: nobody would catch it, and the process would end.
      request.log.error({ error }, 'an audit event could not be made')
      onLost()
    }
  }
  watch(app, record)

  let told: string | undefined
  const tellHead = () => {
    const { id, head } = run.last()
    if (head === undefined || head === told) return
    told = head
    logger.info({ source: run.source, id, mac: head }, 'head of the audit chain')
  }
  let stopTelling: (() => void) | undefined
  app.addHook('onReady', async () => {
    run.write('oss-vend.audit.started', about)
    // Standard output would hold both, the chain and what vouches for its end.
    if (log !== 'stdout') stopTelling = clock.every(HEAD_MS, tellHead)
  })
  app.addHook('onClose', async () => {
    if (run.last().id !== undefined) run.write('oss-vend.audit.stopped', about)
    if (stopTelling) tellHead()
    stopTelling?.()
    await stream.close()
  })
  return {
    noting: notingCallers,
    reopen: async (why) => {
      if (why === 'asked') await stream.reopen()
    },
  }
}

const NO_TAIL: Tail = { cut: false, mac: undefined }

async function tailOf(path: string): Promise<Tail> {
  try {
    await requireAppendable(path)
    return await readTail(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const remedy = `let the user of the service write and read it and its folder, or choose another: ${code}`
    throw new ConfigError([{ variable: 'AUDIT_LOG', rule: 'must be a file that can be appended to', remedy }])
  }
}

/** Numbers events and puts them into their envelope. One run is one start of one replica. */
function createRun(
  stream: AuditStream,
  {
    chainKey,
    previous,
    now,
  }: Readonly<{ chainKey: Buffer | undefined; previous: string | undefined; now: () => number }>,
) {
  const source = `urn:uuid:${randomUUID()}`
  const chain = createChain(chainKey, previous)
  let count = 0
  const idOf = (number: number) => String(number).padStart(12, '0')
  return {
    source,
    last: () => ({ id: count === 0 ? undefined : idOf(count - 1), head: chain.head() }),
    write(type: string, data: object) {
      const id = idOf(count++)
      const time = new Date(now()).toISOString()
      const event = { specversion: '1.0', id, source, type, time, datacontenttype: 'application/json', data }
      stream.write(chain.seal(event))
    },
  }
}

const isDecision = ({ routeOptions }: FastifyRequest) => routeOptions.config.vends === true

/** Before the answer leaves, so that nothing is given out that is not on its way to the audit. */
function watch(app: FastifyInstance, record: (request: FastifyRequest) => void): void {
  app.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    if (isDecision(request)) {
      notesOf(request).address = request.ip
      reply.raw.once('close', () => {
        // A client that leaves before its body is read is never answered, and no hook runs for it.
        if (request.method !== 'POST' || request.body !== undefined || notesOf(request).recorded) return
        if (!notesOf(request).refusal) noteRefusal(request, LEFT)
        record(request)
      })
    }
    done()
  })
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (isDecision(request)) record(request)
    done(null, payload)
  })
}

const LEFT = new VendError('invalid_request', { log: { reason: 'aborted' } })
