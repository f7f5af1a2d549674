import type { Config, Policy, Vended, Wish } from './contract.ts'
import { Failure, type Report } from './failure.ts'

export type Service = ReturnType<typeof createService>
/** One signed-in person. Uploads keep the login that they began with, whoever signs in later. */
export type Login = Awaited<ReturnType<Service['signIn']>>

type Headers = Readonly<Record<string, string>>

/** Requests to the service, and to the two endpoints that the demo adds. */
export function createService(report: Report) {
  async function request(path: string, init: RequestInit = {}) {
    const { method = 'GET' } = init
    let response: Response
    try {
      response = await fetch(path, { ...init, cache: 'no-store' })
    } catch {
      report({ to: 'service', method, path, status: 'no answer' })
      throw new Failure('service', 'unreachable')
    }
    report({ to: 'service', method, path, status: response.status })
    const body = await response.json().catch(() => undefined)
    if (response.ok) return body
    const code: string = body?.code ?? String(response.status)
    throw new Failure('service', code, {
      answer: [response.status, code, body?.detail].filter(Boolean).join(' '),
      requestId: body?.requestId,
      retryAfter: response.headers.get('retry-after') ?? '',
    })
  }

  const post = (path: string, body: unknown, headers: Headers = {}) =>
    request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  return {
    config: async (): Promise<Config> => request('/demo/config.json'),
    setStoreHealth: async (health: string): Promise<void> => post('/demo/store', { health }),
    /** The token stays in this closure: it is never stored. */
    async signIn(user: string) {
      const fetchToken = async (): Promise<string> => (await post('/demo/token', { user })).token
      let token = await fetchToken()

      /** A token that ended during the visit is replaced once, as an app's login would. */
      async function authorized<T>(call: (headers: Headers) => Promise<T>): Promise<T> {
        const attempt = () => call({ authorization: `Bearer ${token}` })
        try {
          return await attempt()
        } catch (error) {
          if (!(error instanceof Failure) || error.code !== 'unauthenticated') throw error
          token = await fetchToken()
          return attempt()
        }
      }
      return {
        policies: async (): Promise<readonly Policy[]> =>
          (await authorized((headers) => request('/v1/policies', { headers }))).policies,
        credentials: async (wish: Wish): Promise<Vended> =>
          authorized((headers) => post('/v1/credentials', wish, headers)),
      }
    },
  }
}
