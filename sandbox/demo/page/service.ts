import { Failure, type Report } from './failure.ts'

/** `/demo/config.json`: all that the page must know before anyone signs in. */
export type Config = Readonly<{
  /** Used in place of the answer's `oss.endpoint`, where a browser cannot reach or trust that one. */
  ossEndpoint?: string
  maxFileBytes: number
  partBytes: number
  users: readonly Readonly<{ id: string; name: string; scope: string }>[]
}>

/** A template that the caller may use. `params` is a JSON Schema. */
export type Policy = Readonly<{
  name: string
  description: string
  params: Readonly<{ properties: Readonly<Record<string, Readonly<{ pattern?: string; description?: string }>>> }>
}>

/** The answer of `POST /v1/credentials`. */
export type Vended = Readonly<{
  credentials: Readonly<{ accessKey: string; secretKey: string; sessionToken: string; expiration: string }>
  oss: Readonly<{ endpoint: string; region: string; bucket: string; prefixes: readonly string[] }>
  grant: Readonly<{
    policy: string
    actions: readonly string[]
    resources: readonly string[]
    roleSessionName: string
  }>
}>

/** What a caller asks credentials for. */
export type Wish = Readonly<{ policy: string; params: Readonly<Record<string, string>> }>

export type Service = ReturnType<typeof createService>

/** Requests to the service. The token stays in this closure: it is never stored. */
export function createService(report: Report) {
  let user: string | undefined
  let token = ''

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

  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  async function signIn(id: string): Promise<void> {
    token = (await post('/demo/token', { user: id })).token
    user = id
  }

  /** A token that ended during the visit is replaced once, as an app's login would. */
  async function authorized<T>(call: (headers: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
    const attempt = () => call({ authorization: `Bearer ${token}` })
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'unauthenticated' || user === undefined) throw error
      await signIn(user)
      return attempt()
    }
  }

  return {
    signIn,
    config: async (): Promise<Config> => request('/demo/config.json'),
    policies: async (): Promise<readonly Policy[]> =>
      (await authorized((headers) => request('/v1/policies', { headers }))).policies,
    credentials: async (wish: Wish): Promise<Vended> => authorized((headers) => post('/v1/credentials', wish, headers)),
    setStoreHealth: async (health: string): Promise<void> => post('/demo/store', { health }),
  }
}
