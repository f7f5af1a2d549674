import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** Whether a Redis can be started here; the tests that need one are skipped otherwise. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A Redis of its own on a free loopback port, keeping nothing, gone with the test. */
export async function startRedis(t: Test): Promise<{ process: ChildProcess; port: number; connect: () => Redis }> {
  const port = await freePort()
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    t.testdir({}),
  ]
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    log += chunk
    if (log.includes('Ready to accept connections')) break
  }
  child.stdout.resume()
  const connect = () => {
    const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
    redis.on('error', () => {})
    t.teardown(() => redis.disconnect())
    return redis
  }
  return { process: child, port, connect }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}
