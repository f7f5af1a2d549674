import { setTimeout as delay } from 'node:timers/promises'
import type { App } from '../routes/services.ts'

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
  let running = 0
  let onIdle = () => {}

  app.addHook('preHandler', async (_request, reply) => {
    running++
    // `close` comes for whoever left without waiting for the answer, too.
    reply.raw.once('close', () => {
      running--
      if (running === 0) onIdle()
    })
  })
  app.addHook('onSend', async (_request, reply) => {
    if (draining) reply.header('connection', 'close')
  })

  return {
    draining: () => draining,
    async stop(noticeMs) {
      draining = true
      await delay(noticeMs)
      const closed = app.close()
      await new Promise<void>((resolve) => {
        onIdle = resolve
        if (running === 0) resolve()
      })
      // What is left are sockets on which no whole request came, and Node no longer looks how long they have been at it.
      app.server.closeAllConnections()
      await closed
    },
  }
}
