import { isLoopback } from './address.ts'

/** A forward proxy, which tunnels TLS by CONNECT. */
export type ForwardProxy = Readonly<{
  /** Scheme, host and port. */
  origin: string
  /** The value of `Proxy-Authorization`. A secret. */
  authorization?: string
}>

/**
 * Reads `http[s]://[user:password@]host[:port]`; undefined for anything else. Other programs add a missing scheme. Here a
 * proxy that nobody meant would see which hosts are called.
 */
export function parseProxyUrl(text: string): ForwardProxy | undefined {
  const url = /^https?:\/\//iu.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url?.pathname !== '/' || url.search || url.hash) return undefined
  const credentials = credentialsOf(url)
  if (credentials === undefined) return undefined
  const authorization = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
  return { origin: url.origin, ...(authorization && { authorization }) }
}

/** `user:password`, or nothing; undefined when Basic authentication (RFC 7617) cannot express them. */
function credentialsOf({ username, password }: URL): string | undefined {
  if (!username && !password) return ''
  try {
    const user = decodeURIComponent(username)
    const credentials = `${user}:${decodeURIComponent(password)}`
    return user.includes(':') || /\p{Cc}/u.test(credentials) ? undefined : credentials
  } catch {
    return undefined
  }
}

/**
 * Returns a function that tells whether a URL goes through the proxy. Plain http does not: it is for loopback, where the
 * proxy would find its own machine, and a proxy could read and change it. The rest of the rules is undici's
 * `EnvHttpProxyAgent`: an entry of `noProxy` is a host with its subdomains, perhaps with a port; `*` alone is every host.
 */
export function proxyRules(noProxy: string): (url: URL) => boolean {
  const entries = noProxy
    .split(/[,\s]/u)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, beforePort, port] = /^(.+):(\d+)$/u.exec(entry) ?? []
      const host = (beforePort ?? entry).replace(/^\*?\./u, '').toLowerCase()
      return { host, port: Number(port ?? 0) }
    })
  return ({ protocol, hostname, port }) => {
    if (protocol !== 'https:' || isLoopback(hostname) || noProxy === '*') return false
    const ours = Number(port) || 443
    return !entries.some(
      (entry) =>
        (entry.port === 0 || entry.port === ours) && (hostname === entry.host || hostname.endsWith(`.${entry.host}`)),
    )
  }
}
