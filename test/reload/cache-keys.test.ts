import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { needsRedis, redisServer } from '../helpers/redis.ts'
import { start } from './harness.ts'

const key = () => randomBytes(32).toString('base64')

t.test('new keys of the shared cache are read from their file', needsRedis, async (t) => {
  const [old, young] = [key(), key()]
  const file = `${t.testdir({ keys: old })}/keys`
  const { url } = await redisServer(t)
  const env = { REDIS_URL: url, CACHE_ENCRYPTION_KEY_FILE: file }
  const one = await start(t, env)
  t.equal(await one.vend('alice'), 200)

  writeFileSync(file, `${young}, ${old}\n`)
  await one.looks(2)
  t.equal(await one.reloads('cache_keys', 'taken'), 1)
  // Another replica with the new list opens sessions that the first one sealed with the old key.
  const other = await start(t, env)
  t.equal(await other.vend('alice'), 200)
  t.strictSame(other.asked, [], 'STS received no call')

  writeFileSync(file, 'too short')
  await one.looks(2)
  t.equal(await one.reloads('cache_keys', 'refused'), 1)
  t.equal(await one.vend('alice'), 200)
  t.notMatch(one.logs.text(), old.slice(0, 12))
  t.notMatch(one.logs.text(), young.slice(0, 12))

  writeFileSync(file, `${young},${old}`)
  await one.looks(2)
  t.equal(await one.reloads('cache_keys', 'taken'), 1, 'the same list in another form is not a change')
})
