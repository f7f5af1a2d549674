import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { isLoopback } from './address.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Route } from './outbound.ts'

/** A connection to Redis or Valkey, whatever it is made of. */
export type RedisClient = Redis | Cluster

/** Where Redis is. */
export type RedisAddress = Readonly<{
  kind: 'single' | 'sentinel' | 'cluster'
  nodes: readonly Readonly<{ host: string; port: number }>[]
  tls: boolean
  username?: string
  password?: string
  db: number
  /** Of the primary, as the sentinels know it. */
  primary?: string
  sentinelPassword?: string
}>

const SCHEMES: Readonly<Record<string, Pick<RedisAddress, 'kind' | 'tls'>>> = {
  redis: { kind: 'single', tls: false },
  rediss: { kind: 'single', tls: true },
  valkey: { kind: 'single', tls: false },
  valkeys: { kind: 'single', tls: true },
  'redis+sentinel': { kind: 'sentinel', tls: false },
  'rediss+sentinel': { kind: 'sentinel', tls: true },
  'redis+cluster': { kind: 'cluster', tls: false },
  'rediss+cluster': { kind: 'cluster', tls: true },
}

/**
 * Reads an address; undefined when it is none. By hand, since URL has no place for several hosts:
 * `redis://[[user]:password@]host[:port][/db]`, `redis+sentinel://…@host,host/<primary>[/db][?sentinelPassword=…]`,
 * `redis+cluster://…@host,host`; `rediss` for TLS.
 */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  const match = /^([a-z+]+):\/\/(?:([^@/]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?sentinelPassword=([^&]+))?$/u.exec(url)
  const [, scheme = '', userInfo, hosts = '', path = '', sentinelPassword] = match ?? []
  const known = SCHEMES[scheme]
  if (!known) return undefined
  const sentinel = known.kind === 'sentinel'
  const nodes = hosts.split(',').flatMap((host) => nodeOf(host, sentinel ? 26_379 : 6379))
  if (nodes.length !== hosts.split(',').length || (known.kind === 'single' && nodes.length > 1)) return undefined
  const [primary, db = '0'] = sentinel ? path.split('/') : [undefined, path || '0']
  if (!/^\d{1,4}$/u.test(db) || (known.kind === 'cluster' && db !== '0')) return undefined
  if (sentinel !== Boolean(primary) || (sentinelPassword !== undefined && !sentinel)) return undefined
  try {
    const [username, password] = userInfo?.split(/:(.*)/su).map(decodeURIComponent) ?? []
    return {
      ...known,
      nodes,
      db: Number(db),
      ...(username && { username }),
      ...(password && { password }),
      ...(primary && { primary }),
      ...(sentinelPassword && { sentinelPassword: decodeURIComponent(sentinelPassword) }),
    }
  } catch {
    return undefined
  }
}

/**
 * Whether what is said to this Redis, its password first, can be read on a network. Without a password anyone who reaches
 * it can write to it, which is no better. Sentinels and clusters tell only at run time which hosts they send us to.
 */
export function leavesInPlaintext({ kind, tls, nodes }: RedisAddress): boolean {
  if (tls) return false
  return kind !== 'single' || !nodes.every(({ host }) => isLoopback(host.includes(':') ? `[${host}]` : host))
}

function nodeOf(text: string, defaultPort: number): { host: string; port: number }[] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/iu.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? defaultPort)
  return host === undefined || port < 1 || port > 65_535 ? [] : [{ host, port }]
}

/** Longer than a slow network, shorter than anybody's patience with a dead one. */
const CONNECT_TIMEOUT_MS = 2000
/** A connection that has been silent for so long after a command is dropped: the other side may be gone without a word. */
const SOCKET_TIMEOUT_MS = 1500
const MAX_RECONNECT_MS = 2000

/**
 * Connects, and goes on trying for as long as it lives. A command fails at once while there is no connection, and is
 * never sent a second time: nobody waits for Redis here, and a lease that is taken late would be one that nobody holds.
 */
export async function connectRedis(
  { kind, nodes, tls, username, password, db, primary, sentinelPassword }: RedisAddress,
  random: () => number = Math.random,
  { secureContext }: Pick<Route, 'secureContext'> = {},
): Promise<RedisClient> {
  // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: the password goes to the host that is configured, and to no other.
  const verified = { rejectUnauthorized: true, ...(secureContext && { secureContext }) }
  // Replicas that lost the same Redis should not all come back to it in the same instant.
  const reconnectIn = (times: number) =>
    Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_MS) * (0.5 + random() / 2)
  const options: RedisOptions = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db,
    ...(tls && { tls: verified }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectIn,
  }
  const [{ host, port } = { host: '127.0.0.1', port: 6379 }] = nodes
  const client = (() => {
    if (kind === 'cluster') {
      const redisOptions = { ...options, connectTimeout: CONNECT_TIMEOUT_MS }
      return new Cluster([...nodes], { redisOptions, enableOfflineQueue: false, clusterRetryStrategy: reconnectIn })
    }
    if (kind === 'single') return new Redis({ ...options, host, port })
    return new Redis({
      ...options,
      sentinels: [...nodes],
      name: primary ?? '',
      sentinelRetryStrategy: reconnectIn,
      ...(sentinelPassword !== undefined && { sentinelPassword }),
      ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: verified }),
    })
  })()
  // The caller of a command sees its error; without a listener ioredis prints it.
  client.on('error', (error: unknown) => {
    const fault = redisFault(error)
    if (fault !== undefined) connectionFaults.set(client, fault)
  })
  client.on('ready', () => connectionFaults.delete(client))
  return client
}

const connectionFaults = new WeakMap<RedisClient, string>()

/** Why there is no connection, in the words of `redisFault`; undefined if nothing is known, or there is one. */
export const connectionFault = (redis: RedisClient): string | undefined => connectionFaults.get(redis)

/**
 * The code of an error, or the first word of Redis' own, such as WRONGPASS. Other texts could quote a command or an
 * address. A cluster wraps the error of its last node.
 */
export function redisFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('lastNodeError' in error) return redisFault(error.lastNodeError)
  const word = 'code' in error ? String(error.code) : /^[A-Z]{3,}/u.exec(error.message)?.[0]
  return word !== undefined && /^[A-Z_]{3,32}$/u.test(word) ? word : undefined
}

/** Resolves when the connection is ready, or after so many milliseconds. */
export async function readyWithin(
  redis: RedisClient,
  ms: number,
  clock: Pick<Clock, 'after'> = systemClock(),
): Promise<void> {
  if (redis.status === 'ready') return
  await new Promise<void>((resolve) => {
    const end = () => {
      cancel()
      redis.off('ready', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    redis.once('ready', end)
  })
}
