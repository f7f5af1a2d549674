import type { FastifyBaseLogger } from 'fastify'
import { VendError } from '../errors.ts'
import { type Clock, closable } from './clock.ts'
import { connectionFault, type RedisClient } from './redis.ts'
import { type Tracing, untraced } from './tracing.ts'

/** Redis for those who can do without it: the one place that knows whether it answers. */
export type RedisLink = Readonly<{
  /**
   * What Redis answers; undefined when it does not within 50 ms, or lately did not. Never fails. What it refuses by an
   * error is remembered for each kind of question apart: a Redis that is full still answers reads.
   */
  ask<T>(kind: 'read' | 'write', question: (redis: RedisClient) => Promise<T>): Promise<T | undefined>
  /** Told of each entry that this service cannot have written. */
  implausible: RedisMetrics['implausible']
  /** Ends every wait for an answer. */
  close(): void
}>

/** What is reported of Redis. */
export type RedisMetrics = Readonly<{
  /** Whether it answers. */
  up(answers: boolean): void
  /** It did not answer a question, or refused it with an error. */
  failed(kind: 'connection' | 'timeout' | 'reply'): void
  /** It has an entry that no replica can have left so. */
  implausible(what: 'session' | 'lease' | 'rate' | 'count' | 'denylist'): void
}>

type Dependencies = Readonly<{
  redis: RedisClient
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  metrics: RedisMetrics
  tracing?: Tracing | undefined
}>

/** Time for one question. While Redis answers other questions, a question may wait this often: only a crowd delays it. */
const BUDGET_MS = 50
const ROUNDS = 4
/** For so long Redis is left alone once it did not answer; then one question tries it. */
const RETRY_MS = 1000

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/**
 * Asks Redis within a budget. After a failure Redis is left alone for a second, then tried with one question. The log
 * says when it goes and when it is back, and in between each new reason once. Sessions, leases, the rate of calls and the rate limits
 * share this, so that one outage costs one wait.
 */
export function createRedisLink({ redis, logger, metrics, tracing = untraced, ...time }: Dependencies): RedisLink {
  const clock = closable(time.clock)
  const told = new Set<string>()
  const tell = (words: string, reason: string | undefined) => {
    if (reason !== undefined) told.add(reason)
    logger.warn({ ...(reason !== undefined && { reason }) }, words)
  }
  const whole = createTrouble(
    () => {},
    () => {
      told.clear()
      logger.info('Redis answers again')
    },
  )
  const [read, write] = (['read', 'write'] as const).map((kind) =>
    createTrouble(
      () => logger.warn({ kind }, 'Redis refuses: going on without it'),
      () => logger.info({ kind }, 'Redis accepts again'),
    ),
  )
  let answeredAt = Number.NEGATIVE_INFINITY

  const isAnswering = () => clock.monotonic() - answeredAt < BUDGET_MS

  async function withinBudget<T>(asked: Promise<T>): Promise<T> {
    // The answer may be here, and only this process be late in reading it.
    const late = () => Promise.race([asked, nextTurn().then(() => Promise.reject(new NoAnswerError('late')))])
    for (let round = 1; ; round++) {
      const began = clock.monotonic()
      try {
        return await clock.within(asked, BUDGET_MS, late)
      } catch (error) {
        // The budget is of time in which an answer could have been read: a round that took twice as long tells of this
        // process, whose event loop stood still, and nothing of Redis.
        const excused = isAnswering() || clock.monotonic() - began > 2 * BUDGET_MS
        if (!(error instanceof NoAnswerError && excused && round < ROUNDS)) throw error
      }
    }
  }

  function createTrouble(onStart: () => void, onEnd: () => void) {
    let askAgainAt: number | undefined
    return {
      /** Whether to leave Redis alone. The one that is told not to is the one that tries. */
      lasts(): boolean {
        const now = clock.monotonic()
        if (askAgainAt === undefined) return false
        if (now < askAgainAt) return true
        askAgainAt = now + RETRY_MS
        return false
      },
      /** Whether it was there already. */
      start(): boolean {
        const goesOn = askAgainAt !== undefined
        if (!goesOn) onStart()
        askAgainAt = clock.monotonic() + RETRY_MS
        return goesOn
      },
      end(): void {
        if (askAgainAt !== undefined) onEnd()
        askAgainAt = undefined
      },
    }
  }

  return {
    async ask(kind, question) {
      const refusal = kind === 'read' ? read : write
      if (whole.lasts() || refusal?.lasts()) return undefined
      try {
        if (redis.status !== 'ready') throw new NoAnswerError()
        const answer = await tracing.span(`redis ${kind}`, () => withinBudget(question(redis)), {
          kind: 'client',
          attributes: { 'db.system.name': 'redis' },
        })
        answeredAt = clock.monotonic()
        whole.end()
        refusal?.end()
        metrics.up(true)
        return answer
      } catch (error) {
        // This process ends: nothing is known of Redis.
        if (error instanceof VendError) return undefined
        const refused = error instanceof Error && error.name === 'ReplyError'
        const silent = error instanceof NoAnswerError && error.message === 'late'
        metrics.failed(refused ? 'reply' : silent ? 'timeout' : 'connection')
        if (refused) {
          whole.end()
          refusal?.start()
          metrics.up(true)
        } else if (!(silent && isAnswering())) {
          // Once bytes were lost or made up on a connection, each answer on it may be taken for a part of another, or for
          // the answer to an older question, for ever: a second silence ends it, and a new one begins clean.
          const goesOn = whole.start()
          const reason = silent ? 'timeout' : connectionFault(redis)
          if (!goesOn) tell('Redis does not answer: going on without it', reason)
          else if (reason !== undefined && !told.has(reason)) tell('Redis still does not answer', reason)
          if (goesOn && silent) redis.disconnect(true)
          metrics.up(false)
        }
        return undefined
      }
    },
    implausible: metrics.implausible,
    close: clock.close,
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
