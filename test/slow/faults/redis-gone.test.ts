import { Redis } from 'ioredis'
import t from 'tap'
import type { RedisServer } from '../../helpers/redis.ts'
import { eachFaultOfRedis } from './redis-course.ts'

eachFaultOfRedis(t, [
  { name: 'is killed', begin: ({ kill }) => kill(), end: ({ start }) => start() },
  { name: 'is paused', begin: ({ pause }) => pause(), end: ({ resume }) => resume() },
  {
    name: 'is restarted, and empty',
    async begin({ kill, start }) {
      await kill()
      await start()
    },
  },
  { name: 'is emptied', begin: (redis) => tell(redis, 'FLUSHALL') },
  {
    name: 'is full',
    begin: (redis) => tell(redis, 'CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => tell(redis, 'CONFIG', 'SET', 'maxmemory', '0'),
  },
  { name: 'keeps everybody waiting for two seconds', begin: (redis) => tell(redis, 'CLIENT', 'PAUSE', '2000') },
])

async function tell({ port }: RedisServer, ...[command = '', ...args]: string[]): Promise<void> {
  const admin = new Redis(port, '127.0.0.1')
  try {
    await admin.call(command, ...args)
  } finally {
    admin.disconnect()
  }
}
