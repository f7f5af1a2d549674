import { setTimeout as delay } from 'node:timers/promises'
import type { App } from '../routes/services.ts'

/** How long a connection that was accepted before the listener closed has for its request to arrive. */
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
export function createDrain(app: App): Drain {
  let draining = false

  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close')
    done(null, payload)
  })

  return {
    draining: () => draining,
    async stop(noticeMs) {
      draining = true
      await delay(noticeMs)
      const closed = app.close()
      // Under load the last connections are open, and their requests sent, but not yet read.
      const graceUntil = performance.now() + GRACE_MS
      const isGrace = async () => performance.now() < graceUntil && (await connectionsOf(app)) > 0
      while (app.unanswered.some() || (await isGrace())) await delay(10)
      // What is left are sockets on which no whole request came, and Node no longer looks how long they have been at it.
      app.server.closeAllConnections()
      await closed
    },
  }
}

const connectionsOf = (app: App) =>
  new Promise<number>((resolve) => {
    app.server.getConnections((_error, count) => resolve(count ?? 0))
  })
