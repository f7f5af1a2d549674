import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { allowCommand, deniedCommand, denyCommand } from '../../src/cli/deny/commands.ts'
import type { NameOptions } from '../../src/cli/deny/name.ts'
import { createSharedList } from '../../src/denylist/shared-list.ts'
import { createSeal } from '../../src/sessions/seal.ts'
import { capturedIo } from '../helpers/captured-io.ts'
import { slowClock } from '../helpers/clock.ts'
import { connectTo, redisServer } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'
import { denying } from './harness.ts'

export const AES_KEY = randomBytes(32).toString('base64')

/** A Redis, replicas on it, and the commands of an operator. */
export async function sharing(t: Test, ...more: string[]) {
  const server = await redisServer(t, ...more)
  const env = { REDIS_URL: server.url, CACHE_ENCRYPTION_KEY: AES_KEY }
  const admin = connectTo(t, server)

  const command = async (run: (io: ReturnType<typeof capturedIo>['io']) => Promise<number>) => {
    const { io, printed } = capturedIo(env, '')
    return { exitCode: await run(io), ...printed }
  }
  const replica = (changes: Parameters<typeof denying>[1] = {}) =>
    denying(t, {
      ...changes,
      env: { ...env, ...changes.env },
      dependencies: { clock: slowClock(), ...changes.dependencies },
    })
  return {
    server,
    env,
    admin,
    replica,
    replicas: (count: number) => Promise.all(Array.from({ length: count }, () => replica())),
    deny: (options: NameOptions & { forMs?: number }) =>
      command((io) => denyCommand(io, { issuer: 'app', ...options }, { spreadMs: 0 })),
    allow: (options: NameOptions) => command((io) => allowCommand(io, { issuer: 'app', ...options }, { spreadMs: 0 })),
    denied: async () => {
      const { out } = await command((io) => deniedCommand(io, true))
      const { entries }: { entries: { subject?: string; by: string }[] } = JSON.parse(out)
      return entries.map(({ subject, by }) => subject ?? by)
    },
    /** The list, for somebody who knows the key. */
    list: (key = AES_KEY) => createSharedList(admin, createSeal([Buffer.from(key, 'base64')])),
    place: async () => (await admin.keys('oss-vend:*:deny')).join(),
  }
}

/** Looks again and again, as the timer does, until this holds: a connection tells nobody when it is back. */
export const pollUntil = (replica: { poll: () => Promise<unknown> }, holds: () => unknown) =>
  until(async () => {
    await replica.poll()
    return holds()
  })
