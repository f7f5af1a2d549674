import findMyWay from 'find-my-way'
import type { App } from './fastify.ts'

/** Not OPTIONS: the plugin for CORS answers it at every path, resource or not. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Tells which methods have a route at the path of a URL. It reads paths with the router of Fastify, so both agree on
 * what is one path. Must be called before the routes are registered.
 */
export function trackMethods(app: App, { maxParamLength }: Readonly<{ maxParamLength: number }>) {
  const router = findMyWay({ maxParamLength })
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of METHODS) if ([method].flat().includes(one)) router.on(one, url, () => {})
  })
  return (url: string): readonly string[] => METHODS.filter((method) => router.find(method, url) !== null)
}
