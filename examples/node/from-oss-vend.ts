import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types'

/** How to ask oss-vend for credentials. */
export type OssVendOptions = Readonly<{
  /** The address of oss-vend, such as https://vend.example.com */
  url: string
  policy: string
  /** The parameters of the policy. */
  params?: Readonly<Record<string, string | number>>
  /** Returns the user's current token. It is called for each request. */
  token: () => string | Promise<string>
  /** Milliseconds since some instant, for tests. The date would not do: the clock of the device may be wrong. */
  now?: () => number
}>

const RENEW_MS = 10 * 60_000
/** An upload must not start with credentials that end before it does. */
const LEAST_MS = 60_000
const RETRY_MS = 30_000
const TIMEOUT_MS = 10_000

/**
 * Credentials for the `credentials` setting of as many AWS SDK clients as you like. Concurrent callers share one
 * request. The credentials are renewed ten minutes before they end, and while that fails, those at hand are used to their
 * end. It runs in browsers, too.
 */
export function fromOssVend(options: OssVendOptions): AwsCredentialIdentityProvider {
  const { now = () => performance.now() } = options
  let held: Held | undefined
  let running: Promise<Held> | undefined

  function renew(): Promise<Held> {
    const askedAt = now()
    running ??= fetchCredentials(options, askedAt)
      .then((fetched) => {
        held = fetched
        return fetched
      })
      .finally(() => {
        running = undefined
      })
    return running
  }

  return async () => {
    const at = now()
    const mine = held
    if (!mine || mine.endsAt - at < LEAST_MS) return (await renew()).credentials
    if (at < mine.renewAt || running) return mine.credentials
    return renew().then(
      ({ credentials }) => credentials,
      () => {
        mine.renewAt = at + RETRY_MS
        return mine.credentials
      },
    )
  }
}

/** `endsAt` and `renewAt` are of `now`. */
type Held = { readonly credentials: AwsCredentialIdentity; readonly endsAt: number; renewAt: number }

async function fetchCredentials({ url, policy, params = {}, token }: OssVendOptions, askedAt: number): Promise<Held> {
  const askedOn = Date.now()
  const response = await fetch(new URL('/v1/credentials', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ policy, params }),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`oss-vend answers ${response.status}: ${reasonIn(text)}`)
  const { credentials }: Answer = JSON.parse(text)
  const { accessKey, secretKey, sessionToken, expiresInSeconds } = credentials
  const endsAt = askedAt + expiresInSeconds * 1000
  return {
    credentials: {
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      sessionToken,
      // By the clock of this device, right or wrong: the SDK compares it with that clock.
      expiration: new Date(askedOn + expiresInSeconds * 1000),
    },
    endsAt,
    renewAt: endsAt - RENEW_MS,
  }
}

type Answer = {
  credentials: { accessKey: string; secretKey: string; sessionToken: string; expiresInSeconds: number }
}

type Problem = { code: string; title: string; detail?: string; requestId: string }

/** Errors are problem documents (RFC 9457), unless a proxy answers in place of the service. */
function reasonIn(text: string): string {
  try {
    const { code, title, detail = title, requestId }: Problem = JSON.parse(text)
    return `${code}, ${detail} (request ${requestId})`
  } catch {
    return 'not a problem document'
  }
}
