import type { Clock } from '../lib/clock.ts'
import type { App } from './fastify.ts'

/** How long a connection that is still open has for its request to arrive, and an answer to be read. */
const GRACE_MS = 250

/** How a service ends without dropping a request that it has accepted. */
export type Drain = Readonly<{
  /** Whether `/readyz` should fail. */
  draining: () => boolean
  /**
   * Fails `/readyz` and tells connections to close, keeps serving for `noticeMs`, in which load balancers turn away, then
   * closes the listener and resolves when every request that had arrived is answered.
   */
  stop: (noticeMs: number) => Promise<void>
}>

/** Must be called before the first request. */
export function createDrain(app: App, clock: Pick<Clock, 'after' | 'monotonic'>): Drain {
  let draining = false
  const delay = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))

  app.addHook('onSend', ({ raw }, reply, payload, done) => {
    // Node closes after the answer that says so, and drops requests that came behind. Fastify says so once it closes.
    if (draining) reply.header('connection', app.unanswered.hasNext(raw) ? 'keep-alive' : 'close')
    done(null, payload)
  })

  return {
    draining: () => draining,
    async stop(noticeMs) {
      draining = true
      await delay(noticeMs)
      const closed = app.close()
      // Under load the last connections are open, and their requests sent, but not yet read.
      let graceUntil = clock.monotonic() + GRACE_MS
      while (app.unanswered.working() || (clock.monotonic() < graceUntil && (await connectionsOf(app)) > 0)) {
        await delay(10)
        if (app.unanswered.working()) graceUntil = clock.monotonic() + GRACE_MS
      }
      // The remaining sockets have sent no whole request, and Node no longer checks how long they take.
      app.server.closeAllConnections()
      await closed
    },
  }
}

const connectionsOf = (app: App) =>
  new Promise<number>((resolve) => {
    app.server.getConnections((_error, count) => resolve(count ?? 0))
  })
