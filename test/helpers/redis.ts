import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { until } from './until.ts'

/** A real server of the test's own, on a free loopback port. */
export type RedisServer = Readonly<{
  url: string
  port: number
  /** SIGKILL; a new one starts empty on the same port. */
  kill(): Promise<void>
  start(): Promise<void>
  pause(): void
  resume(): void
}>

const installed = spawnSync('redis-server', ['--version']).status === 0

/** Tap's options for a test that needs a redis-server: skipped, and said so, where none is installed and none is required. */
export const needsRedis = {
  skip: !installed && process.env.REQUIRE_REDIS !== '1' && 'redis-server is not installed',
}

/** Starts one that keeps nothing on disk, with these arguments beside the usual ones. Gone with the test. */
export async function redisServer(t: Test, ...more: string[]): Promise<RedisServer> {
  const dir = await folder(t)
  const port = await freePort()
  return serve(t, port, ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', ...more])
}

/** A connection to a server that outlives the server's faults, gone with the test. */
export function connectTo(t: Test, { port }: RedisServer): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

/** Starts a sentinel that watches a primary, whose password is given, under the name `main`. */
export async function redisSentinel(t: Test, primary: RedisServer, password: string): Promise<RedisServer> {
  const dir = await folder(t)
  const port = await freePort()
  const config = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
    `sentinel auth-pass main ${password}`,
  ]
  await writeFile(join(dir, 'sentinel.conf'), `${config.join('\n')}\n`)
  return serve(t, port, [join(dir, 'sentinel.conf'), '--sentinel'])
}

/** Starts a cluster of one node. */
export async function redisCluster(t: Test): Promise<RedisServer> {
  const bus = String(await freePort())
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-announce-ip', '127.0.0.1']
  const server = await redisServer(t, ...cluster)
  const admin = new Redis(server.port, '127.0.0.1')
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await until(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
  admin.disconnect()
  return server
}

async function folder(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'oss-vend-redis-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function serve(t: Test, port: number, args: readonly string[]): Promise<RedisServer> {
  let child: ChildProcess | undefined

  async function start() {
    const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    child = started
    await new Promise<void>((resolve, reject) => {
      let printed = ''
      started.stdout?.on('data', (chunk) => {
        printed += chunk
        if (/Ready to accept connections|Sentinel ID/u.test(printed)) resolve()
      })
      started.on('error', reject)
      started.on('exit', () => reject(new Error(`redis-server ended: ${printed}`)))
    })
  }
  async function kill() {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  await start()
  t.teardown(kill)
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
}

/** Free when it was looked for: redis-server does not tell which one it got. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
