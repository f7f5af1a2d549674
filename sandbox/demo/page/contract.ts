/** `/demo/config.json`: all that the page must know before anyone signs in. */
export type Config = Readonly<{
  /** Used in place of the answer's `oss.endpoint`, where a browser cannot reach or trust that one. */
  ossEndpoint?: string
  maxFileBytes: number
  partBytes: number
  storeHealth: string
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

/** A request for credentials. */
export type Wish = Readonly<{ policy: string; params: Readonly<Record<string, string>>; fresh?: boolean }>
